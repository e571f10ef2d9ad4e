import { describe, expect, test } from 'vitest';
import { clipBytes } from '../lib/query.ts';
import { aSignal } from '../testing/signal.ts';
import { addressChanges, apiQuery, filtersOf, isFiltered, matches, NO_FILTERS } from './filters.ts';

const read = (text: string) => filtersOf(new URLSearchParams(text));

const FULL =
  'channel=-1001234567890&type=BUY&search=rompeu+100%25&asset=ITUB4&from=2026-11-01&to=2026-11-23&complete=true';

describe('address', () => {
  test('a full set of filters survives the way there and back', () => {
    const filters = read(FULL);
    const written = new URLSearchParams();
    for (const [name, value] of Object.entries(addressChanges(filters)))
      if (value !== null) written.set(name, value);
    expect(filtersOf(written)).toEqual(filters);
    expect(written.toString()).toBe(FULL);
  });

  test('no filters leave nothing in the address', () => {
    expect(Object.values(addressChanges(NO_FILTERS)).every((value) => value === null)).toBe(true);
    expect(isFiltered(NO_FILTERS)).toBe(false);
    expect(isFiltered(read('complete=true'))).toBe(true);
  });

  test.each(['type=DROP', 'from=yesterday', 'to=2026-13-45', 'complete=maybe', 'channel=', 'signal=12'])(
    '%s is no filter',
    (text) => expect(read(text)).toEqual(NO_FILTERS),
  );

  test('a type is known in any case', () => {
    expect(read('type=sell').type).toBe('SELL');
    expect(read('type=day%20trade').type).toBe('Day Trade');
  });

  test('a search is cut at 100 bytes, between letters', () => {
    expect(clipBytes('ç'.repeat(60), 100)).toBe('ç'.repeat(50));
    expect(clipBytes('🟢'.repeat(30), 10)).toBe('🟢🟢');
    expect(clipBytes('curto', 100)).toBe('curto');
  });
});

describe('query', () => {
  test('days are sent as instants of São Paulo', () =>
    expect(apiQuery(read(FULL))).toEqual({
      channel: '-1001234567890',
      type: 'BUY',
      search: 'rompeu 100%',
      asset: 'ITUB4',
      from: '2026-11-01T00:00:00-03:00',
      to: '2026-11-23T23:59:59.999999-03:00',
      complete: true,
    }));

  test('blanks are no search', () => expect(apiQuery(read('search=+++'))).toEqual({}));
});

describe('a row of the stream', () => {
  const matching = (text: string, part = {}) => matches(aSignal(part), read(text));

  test.each([
    'channel=-1001234567890',
    'channel=Sala+de+Swing',
    'type=BUY',
    'type=swing+trade',
    'search=entrada',
    'search=itub',
    'asset=itub4',
    'from=2026-11-23&to=2026-11-23',
    'complete=true',
    '',
  ])('passes %s', (text) => expect(matching(text)).toBe(true));

  test.each([
    'channel=-1009',
    'channel=Sala',
    'type=SELL',
    'type=Day+Trade',
    'search=vale',
    'asset=ITUB',
    'from=2026-11-24',
    'to=2026-11-22',
  ])('is stopped by %s', (text) => expect(matching(text)).toBe(false));

  test('an incomplete one is stopped where only complete ones are wanted', () =>
    expect(matching('complete=true', { complete: false })).toBe(false));

  test('the day of São Paulo counts: 01:00 UTC is still the day before', () => {
    const late = { ts: '2026-11-24T01:00:00Z' };
    expect(matching('to=2026-11-23', late)).toBe(true);
    expect(matching('from=2026-11-24', late)).toBe(false);
  });

  test.each([
    ['pregão', '**PREGAO**', true],
    ['PREGAO', 'fim do pregão', true],
    ['a_b', 'A_B', true],
    ['a_b', 'ab', false],
    ['100%', '100 % de acerto', false],
    ['🟢', '🟢 Swing', true],
    ['🟢', '🔴 Swing', false],
  ])('search of %s in %s: %s', (search, raw_message, expected) =>
    expect(matching(`search=${encodeURIComponent(search)}`, { raw_message })).toBe(expected),
  );

  test('a message without signal has no asset and passes by its text', () => {
    const note = { asset: null, signal_type: 'UNKNOWN' as const, raw_message: 'Bom dia' };
    expect(matching('search=BOM', note)).toBe(true);
    expect(matching('asset=BOM', note)).toBe(false);
  });
});
