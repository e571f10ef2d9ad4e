import { describe, expect, test } from 'vitest';
import {
  isFiltered,
  messageAddress,
  messageFiltersOf,
  messageQuery,
  NO_FILTERS,
  pageSizeOf,
  telegramAddress,
} from './filters.ts';

const read = (text: string) => messageFiltersOf(new URLSearchParams(text));
const FULL =
  'channel=-1001234567890&media=with&method=copy&search=alvo+1&from=2026-11-01&to=2026-11-23&rows=25';

describe('filters', () => {
  test('survive the way to the address and back', () => {
    const filters = read(FULL);
    const address = new URLSearchParams();
    for (const [name, value] of Object.entries(messageAddress(filters)))
      if (value !== null) address.set(name, value);
    expect(messageFiltersOf(address)).toEqual(filters);
    expect(isFiltered(filters)).toBe(true);
  });

  test('that are none of ours are left out', () => {
    expect(read('channel=sala&media=yes&method=fax&from=ontem')).toEqual(NO_FILTERS);
    expect(isFiltered(NO_FILTERS)).toBe(false);
  });

  test('become the query of the service, days from midnight to midnight', () =>
    expect(messageQuery(read(FULL))).toEqual({
      channelId: '-1001234567890',
      media: true,
      method: 'copy',
      search: 'alvo 1',
      from: '2026-11-01T00:00:00-03:00',
      to: '2026-11-23T23:59:59.999999-03:00',
    }));

  test('without media are not the same as without a choice', () => {
    expect(messageQuery(read('media=without'))).toEqual({ media: false });
    expect(messageQuery(NO_FILTERS)).toEqual({});
  });

  test.each([
    ['rows=25', 25],
    ['rows=26', 50],
    ['', 50],
    ['rows=200', 200],
  ])('rows of “%s” are %d', (text, rows) => expect(pageSizeOf(new URLSearchParams(text))).toBe(rows));
});

describe('the address of a message on Telegram', () => {
  test.each([
    ['-1001234567890', 42, 'https://t.me/c/1234567890/42'],
    ['-1000000000123', '9', 'https://t.me/c/123/9'],
    ['-1001234567890', 0, null],
    ['-987654', 42, null],
    ['777000', 42, null],
  ])('%s, %s is %s', (channel, message, address) => expect(telegramAddress(channel, message)).toBe(address));
});
