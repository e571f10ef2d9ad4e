import { expect, test } from 'vitest';
import { BIN_BOUNDS_MS, binned, medianOf } from './latency.ts';

test('each value falls in one bin, the last is open', () => {
  const bins = binned([0, 499, 500, 1_999, 29_999, 30_000, 999_999]);
  expect(bins).toHaveLength(BIN_BOUNDS_MS.length + 1);
  expect(bins).toEqual([2, 1, 1, 0, 0, 1, 2]);
});

test.each([
  [[], null],
  [[7], 7],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
])('the median of %j is %j', (values, median) => expect(medianOf(values)).toBe(median));
