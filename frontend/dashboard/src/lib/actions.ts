/** What a person can do, in one list: the palette shows it, the keyboard runs it, the help page prints it. */
import { useEffect } from 'react';
import { shortcutsOn } from './preferences.ts';
import { createStore } from './store.ts';

export interface Action {
  id: string;
  title: string;
  group: 'page' | 'action';
  /** Keys pressed one after the other, as `event.key` in lower case. */
  keys?: readonly string[];
  run: () => void;
}

export const actions = createStore<readonly Action[]>([]);

/** Offers actions while the component is mounted. Pass a stable list. */
export function useActions(offered: readonly Action[]): void {
  useEffect(() => {
    actions.set((before) => [...before, ...offered]);
    return () => actions.set((now) => now.filter((action) => !offered.includes(action)));
  }, [offered]);
}

const SEQUENCE_MS = 1_200;

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

export const isOverlayOpen = () => document.querySelector('[role="dialog"], [role="menu"]') !== null;

/** Follows the keys of one person; a sequence is forgotten after a moment. */
export function createKeyReader(now: () => number = () => Date.now()) {
  let pressed: string[] = [];
  let lastAt = 0;
  return (key: string, offered: readonly Action[]): Action | null => {
    if (now() - lastAt > SEQUENCE_MS) pressed = [];
    lastAt = now();
    pressed = [...pressed, key.toLowerCase()].slice(-2);
    // Two keys before one, so that S after G is not taken for S alone.
    for (const length of [2, 1]) {
      const wanted = pressed.slice(-length);
      if (wanted.length < length) continue;
      const found = offered.find(
        ({ keys }) => keys?.length === length && keys.every((name, at) => name === wanted[at]),
      );
      if (!found) continue;
      pressed = [];
      return found;
    }
    return null;
  };
}

export function listenToKeys(): () => void {
  const read = createKeyReader();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!shortcutsOn.get() || isTyping(event.target) || isOverlayOpen()) return;
    const action = read(event.key, actions.get());
    if (!action) return;
    event.preventDefault();
    action.run();
  };
  window.addEventListener('keydown', onKeyDown);
  return () => window.removeEventListener('keydown', onKeyDown);
}

export function runAction(id: string): void {
  actions
    .get()
    .find((action) => action.id === id)
    ?.run();
}
