import { expect, test } from 'vitest';
import { aSignal } from '../testing/signal.ts';
import { delayOf, isLate } from './delay.ts';

const stored = (at: string) => aSignal({ ts: '2026-11-23T13:00:00Z', ingested_at: at });

test.each([
  ['2026-11-23T13:00:01Z', false],
  ['2026-11-23T13:01:00Z', false],
  ['2026-11-23T13:01:00.001Z', true],
  ['2026-11-24T13:00:00Z', true],
])('stored at %s: late is %s', (at, late) => expect(isLate(stored(at))).toBe(late));

test('a sender clock that runs ahead is no negative delay', () =>
  expect(delayOf(stored('2026-11-23T12:59:58Z'))).toBe(0));
