import { describe, expect, test } from 'vitest';
import { matching } from '../shell/Palette.tsx';
import { createKeyReader, type Action } from './actions.ts';

const action = (id: string, keys?: string[], title = id): Action => ({
  id,
  title,
  group: 'action',
  ...(keys && { keys }),
  run: () => undefined,
});
const offered = [action('signals', ['g', 's']), action('stop', ['s']), action('help', ['?']), action('none')];

function reader() {
  let time = 10_000;
  const read = createKeyReader(() => time);
  return { read: (key: string) => read(key, offered)?.id, pass: (ms: number) => (time += ms) };
}

describe('keys', () => {
  test('one key runs its action', () => expect(reader().read('?')).toBe('help'));

  test('G then S is a sequence, S alone another action', () => {
    const { read } = reader();
    expect(read('g')).toBeUndefined();
    expect(read('s')).toBe('signals');
    expect(read('s')).toBe('stop');
  });

  test('a sequence is forgotten after a moment', () => {
    const { read, pass } = reader();
    read('g');
    pass(1_300);
    expect(read('s')).toBe('stop');
  });

  test('a capital counts as its letter', () => {
    const { read } = reader();
    read('G');
    expect(read('S')).toBe('signals');
  });
});

describe('palette', () => {
  const list = [action('a', [], 'Exportar: Planilha'), action('b', [], 'Mostrar ação'), action('palette')];
  test('finds words in any order, without marks', () => {
    expect(matching(list, 'acao mostrar').map(({ id }) => id)).toEqual(['b']);
    expect(matching(list, '').map(({ id }) => id)).toEqual(['a', 'b']);
    expect(matching(list, 'zzz')).toEqual([]);
  });
});
