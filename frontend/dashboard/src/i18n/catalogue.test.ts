/** The compiler holds both languages to one shape; this looks at what it can't see. */
import { expect, test } from 'vitest';
import { en } from './en.ts';
import { ptBR } from './pt-BR.ts';

type Texts = { [key: string]: string | Texts | ((...args: never[]) => string) };

function* leaves(texts: Texts, path = ''): Generator<[string, string]> {
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === 'string') yield [`${path}${key}`, value];
    else if (typeof value === 'object') yield* leaves(value, `${path}${key}.`);
  }
}

test('every text says something', () => {
  const empty = [...leaves(ptBR), ...leaves(en)].filter(([, text]) => text.trim() === '');
  expect(empty).toEqual([]);
});

test('none of our jargon reaches a person', () => {
  const shown = [...leaves(ptBR), ...leaves(en)].map(([, text]) => text).join('\n');
  expect(shown).not.toMatch(/ingest|outbox|stream\b|gateway|payload|endpoint|cursor/i);
});

test('plurals', () => {
  expect(ptBR.signals.news(1, 0)).toBe('1 novo sinal');
  expect(ptBR.signals.news(3, 2)).toBe('3 novos sinais · 2 atrasados');
  expect(ptBR.signals.news(0, 1)).toBe('1 atrasado');
  expect(en.signals.news(3, 2)).toBe('3 new signals · 2 late');
});
