import { describe, expect, test } from 'vitest';
import { NO_FILTERS } from '../signals/filters.ts';
import {
  byChannel,
  columnAt,
  completeShare,
  LEFT_PX,
  RIGHT_PX,
  listAddress,
  stacked,
  stepsTo,
  type Day,
} from './days.ts';

const day = (buy: number, sell: number): Day => ({
  day: '2026-11-23',
  messages: 20,
  signals: buy + sell,
  buy,
  sell,
  complete: buy,
});

describe('days', () => {
  test('are stacked: purchases below, the sum above', () =>
    expect(stacked([day(3, 2), day(0, 0)])).toEqual({ at: [0, 1], total: [5, 0], buy: [3, 0] }));

  test('without signals have no share', () => {
    expect(completeShare(day(0, 0))).toBeNull();
    expect(completeShare(day(1, 3))).toBe(0.25);
  });
});

describe('columns', () => {
  test('stand evenly between the edges', () => {
    const width = 1_000;
    const [first, second, last] = [0, 1, 29].map((index) => columnAt(index, 30, width)) as [
      number,
      number,
      number,
    ];
    expect(first - LEFT_PX).toBeCloseTo(width - RIGHT_PX - last);
    expect(last - first).toBeCloseTo(29 * (second - first));
  });

  test('a single one stands in the middle', () =>
    expect(columnAt(0, 1, 1_000)).toBeCloseTo((LEFT_PX + 1_000 - RIGHT_PX) / 2));
});

describe('lines of the scale', () => {
  test.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [3, [0, 1, 2, 3]],
    [7, [0, 2, 4, 6, 8]],
    [12, [0, 5, 10, 15]],
    [40, [0, 10, 20, 30, 40]],
    [41, [0, 20, 40, 60]],
    [12_345, [0, 5_000, 10_000, 15_000]],
  ])('up to %d are whole and few', (highest, steps) => expect(stepsTo(highest, 4)).toEqual(steps));
});

describe('the list behind a number', () => {
  const counted = { from: '2026-10-25T03:00:00.000Z' };
  const query = (address: string) => Object.fromEntries(new URL(address, 'http://x').searchParams);

  test('has the filters, what was clicked, and the days that were counted', () =>
    expect(query(listAddress({ ...NO_FILTERS, type: 'BUY' }, counted, { asset: 'ITUB4' }))).toEqual({
      type: 'BUY',
      asset: 'ITUB4',
      from: '2026-10-25',
    }));

  test('keeps a period that was chosen, and a day that was clicked replaces it', () => {
    const chosen = { ...NO_FILTERS, from: '2026-11-01', to: '2026-11-20' };
    expect(query(listAddress(chosen, counted))).toEqual({ from: '2026-11-01', to: '2026-11-20' });
    expect(query(listAddress(chosen, counted, { from: '2026-11-03', to: '2026-11-03' }))).toEqual({
      from: '2026-11-03',
      to: '2026-11-03',
    });
  });
});

test('a channel that changed its name is one row, with the numbers of both', () => {
  const counts = (channel: string, id: string | null, buy: number, last: string) => {
    return {
      channel,
      channel_id: id,
      messages: buy,
      signals: buy,
      buy,
      sell: 0,
      complete: buy,
      last_ts: last,
    };
  };
  expect(
    byChannel([
      counts('Sala', '-1002', 5, '2026-11-20T13:00:00Z'),
      counts('Mesa', '-1001', 4, '2026-11-20T13:00:00Z'),
      counts('Mesa nova', '-1001', 3, '2026-11-23T13:00:00Z'),
      counts('Antiga', null, 2, '2026-11-20T13:00:00Z'),
      counts('Mais antiga', null, 1, '2026-11-20T13:00:00Z'),
    ]),
  ).toEqual([
    counts('Mesa', '-1001', 7, '2026-11-23T13:00:00Z'),
    counts('Sala', '-1002', 5, '2026-11-20T13:00:00Z'),
    counts('Antiga', null, 2, '2026-11-20T13:00:00Z'),
    counts('Mais antiga', null, 1, '2026-11-20T13:00:00Z'),
  ]);
});
