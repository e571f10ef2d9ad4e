import { language, type Language } from '../lib/preferences.ts';
import { useStore } from '../lib/store.ts';
import { en } from './en.ts';
import { ptBR, type Catalogue } from './pt-BR.ts';

const catalogues: Record<Language, Catalogue> = { 'pt-BR': ptBR, en };

/** The texts of the chosen language, for components. */
export function useTexts(): Catalogue {
  return catalogues[useStore(language)];
}

export function useLanguage(): Language {
  return useStore(language);
}

/** The same outside of components. */
export const texts = (): Catalogue => catalogues[language.get()];
