/** What a person chose for this browser. public/theme.js reads the same keys before the first paint. */
import { createStore, type Store } from './store.ts';

export type Theme = 'light' | 'dark' | 'system';
export type Language = 'pt-BR' | 'en';

function read<T>(key: string, fallback: T, isValid: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(key);
    const value: unknown = text === null ? fallback : JSON.parse(text);
    return isValid(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

function stored<T>(name: string, fallback: T, isValid: (value: unknown) => value is T): Store<T> {
  const key = `ts.${name}`;
  const store = createStore(read(key, fallback, isValid));
  store.subscribe(() => {
    try {
      localStorage.setItem(key, JSON.stringify(store.get()));
    } catch {
      // A browser that stores nothing still shows the choice until the page is closed.
    }
  });
  return store;
}

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isTheme = (value: unknown): value is Theme =>
  value === 'light' || value === 'dark' || value === 'system';
const isLanguage = (value: unknown): value is Language => value === 'pt-BR' || value === 'en';

const isRecordOf =
  <T>(isItem: (item: unknown) => item is T) =>
  (value: unknown): value is Record<string, T> =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => isItem(item));

const isWidth = (value: unknown): value is number =>
  typeof value === 'number' && value >= 40 && value <= 1000;

export const theme = stored<Theme>('theme', 'system', isTheme);
export const language = stored<Language>('language', 'pt-BR', isLanguage);
export const sidebarFolded = stored('sidebarFolded', false, isBoolean);
export const overviewOpen = stored('overviewOpen', true, isBoolean);
export const shortcutsOn = stored('shortcutsOn', true, isBoolean);
export const columnWidths = stored<Record<string, number>>('columnWidths', {}, isRecordOf(isWidth));
export const columnsShown = stored<Record<string, boolean>>('columnsShown', {}, isRecordOf(isBoolean));

/** Keeps the document in step with the choices; called once at start. */
export function applyPreferences(root: HTMLElement): void {
  const apply = () => {
    const chosen = theme.get();
    if (chosen === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = chosen;
    root.lang = language.get();
    if (sidebarFolded.get()) root.dataset['sidebar'] = 'folded';
    else delete root.dataset['sidebar'];
  };
  for (const store of [theme, language, sidebarFolded]) store.subscribe(apply);
  apply();
}
