import { describe, expect, test } from 'vitest';
import { contextFacts, keyed, levelOf, limitOf, matching, type Line } from './lines.ts';

const line = (message: string, context: Line['context'] = {}, timestamp = '2026-11-23T13:00:00Z'): Line => ({
  timestamp,
  level: 'info',
  message,
  context,
});

describe('keys', () => {
  test('are different for equal lines, and stay when a new line comes on top', () => {
    const before = keyed([line('stored'), line('stored'), line('started')]);
    const after = keyed([line('stored'), line('stored'), line('stored'), line('started')]);
    expect(new Set(after.map(({ key }) => key)).size).toBe(4);
    expect(after.slice(1).map(({ key }) => key)).toEqual(before.map(({ key }) => key));
  });
});

describe('the search', () => {
  const lines = keyed([line('Signal stored', { asset: 'ITUB4' }), line('Listening', { port: 4005 })]);
  const found = (search: string) => matching(lines, search).map(({ message }) => message);

  test('finds words of message, level and context, case ignored', () => {
    expect(found('STORED itub4')).toEqual(['Signal stored']);
    expect(found('4005')).toEqual(['Listening']);
    expect(found('info')).toHaveLength(2);
    expect(found('')).toHaveLength(2);
    expect(found('stored 4005')).toEqual([]);
  });
});

test('context is shown as the service wrote it', () =>
  expect(contextFacts({ asset: 'ITUB4', port: 4005, list: [1, 2] })).toEqual([
    ['asset', 'ITUB4'],
    ['port', '4005'],
    ['list', '[1,2]'],
  ]));

test('what the address says counts only if it is a choice', () => {
  const query = (text: string) => new URLSearchParams(text);
  expect(levelOf(query('level=warn'))).toBe('warn');
  expect(levelOf(query('level=loud'))).toBeNull();
  expect(limitOf(query('limit=200'))).toBe(200);
  expect(limitOf(query('limit=5000'))).toBe(100);
});
