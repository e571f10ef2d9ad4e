import { describe, expect, test } from 'vitest';
import {
  dayOf,
  endOfDay,
  formatClockSeconds,
  formatDateTime,
  formatDuration,
  formatLatency,
  formatMoney,
  formatPercent,
  formatPrice,
  isQuotedInPoints,
  startOfDay,
} from './format.ts';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('prices', () => {
  test.each([
    [31.4, '31,40'],
    [1234.56, '1.234,56'],
    [0.125, '0,125'],
    [130450, '130.450,00'],
    [0.000001, '0,000001'],
    [2.5, '2,50'],
  ])('%d reads %s in Brazil', (value, text) => expect(formatPrice(value, 'pt-BR')).toBe(text));

  test('a missing price is a dash', () => expect(formatPrice(null, 'pt-BR')).toBe('–'));

  test('marks follow the language', () => expect(formatPrice(1234.5, 'en')).toBe('1,234.50'));

  test('short decimals are padded to the longest of the column, so that commas stand in one line', () => {
    const [short, long] = [formatPrice(31.4, 'pt-BR', 3), formatPrice(12.125, 'pt-BR', 3)];
    expect(short).toHaveLength(long.length);
    expect(short.indexOf(',')).toBe(long.indexOf(','));
  });

  test('money has its unit, futures are points', () => {
    expect(plain(formatMoney(31.4, 'ITUB4', 'pt-BR'))).toBe('R$ 31,40');
    expect(formatMoney(130450, 'WINFUT', 'pt-BR')).toBe('130.450 pts');
    expect(formatMoney(null, 'ITUB4', 'pt-BR')).toBe('–');
  });

  test.each(['WINFUT', 'WDOZ26', 'INDG27', 'DOLFUT'])('%s is quoted in points', (asset) =>
    expect(isQuotedInPoints(asset)).toBe(true),
  );
  test.each(['WINE3', 'ITUB4', 'DOLA11', null])('%s is not', (asset) =>
    expect(isQuotedInPoints(asset)).toBe(false),
  );

  test('half points keep their decimals, whole ones leave room for them', () => {
    expect(formatPrice(5421.5, 'pt-BR', 2, 'WDOFUT')).toBe('5.421,50');
    expect(formatPrice(130450, 'pt-BR', 2, 'WINFUT')).toBe('130.450\u2008\u2007\u2007');
  });

  test('a change carries its sign', () => {
    expect(plain(formatPercent(0.0215, 'pt-BR'))).toBe('+2,15%');
    expect(plain(formatPercent(-0.0215, 'pt-BR'))).toBe('-2,15%');
  });
});

describe('times', () => {
  test('are those of São Paulo, wherever the browser is', () => {
    expect(formatClockSeconds('2026-11-23T02:59:59Z', 'pt-BR')).toBe('23:59:59');
    expect(formatDateTime('2026-11-23T02:59:59Z', 'pt-BR')).toBe('22/11/2026 23:59:59');
    expect(dayOf('2026-11-23T02:59:59Z')).toBe('2026-11-22');
  });

  test('midnight is 00, not 24', () =>
    expect(formatClockSeconds('2026-11-23T03:00:00Z', 'pt-BR')).toBe('00:00:00'));

  test('a day has its offset of that year', () => {
    expect(startOfDay('2026-11-23')).toBe('2026-11-23T00:00:00-03:00');
    expect(endOfDay('2026-11-23')).toBe('2026-11-23T23:59:59.999999-03:00');
    expect(startOfDay('2018-12-01'), 'daylight saving').toBe('2018-12-01T00:00:00-02:00');
  });

  test.each([
    [0, '0 s'],
    [59_400, '59 s'],
    [60_000, '1 min'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [277_200_000, '3 d 5 h'],
  ])('%d ms last %s', (ms, text) => expect(plain(formatDuration(ms))).toBe(text));

  test.each([
    [480, '0,5 s'],
    [9_900, '9,9 s'],
    [12_000, '12 s'],
    [42, '42 ms'],
    [-5, '0 ms'],
  ])('latency of %d ms is %s', (ms, text) => expect(plain(formatLatency(ms, 'pt-BR'))).toBe(text));
});
