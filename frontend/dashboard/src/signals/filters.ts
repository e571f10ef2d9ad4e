/** Filters of the Sinais page: one shape for the address bar, the API query and the live stream. */
import type { SignalQuery } from '../api/client.ts';
import type { Signal } from '../api/types.ts';
import { endOfDay, startOfDay } from '../lib/format.ts';
import { isAnySet, rangeOf, rangeQuery, searchOf, type DayRange } from '../lib/query.ts';

export interface Filters extends DayRange {
  /** Channel id. */
  channel: string | null;
  /** BUY, SELL, UNKNOWN or a trade type. */
  type: string | null;
  search: string;
  asset: string;
  onlyComplete: boolean;
}

export const NO_FILTERS: Filters = {
  channel: null,
  type: null,
  search: '',
  asset: '',
  from: null,
  to: null,
  onlyComplete: false,
};

export const DIRECTIONS = ['BUY', 'SELL', 'UNKNOWN'] as const;
export const TRADE_TYPES = ['Swing Trade', 'Day Trade', 'Scalping', 'Position'] as const;

/** Reads what stands in the address. Anything that is no filter of ours is left out, not passed on. */
export function filtersOf(query: URLSearchParams): Filters {
  const channel = query.get('channel');
  const type = query.get('type');
  const known: readonly string[] = [...DIRECTIONS, ...TRADE_TYPES];
  return {
    channel: channel !== null && channel !== '' && channel.length <= 200 ? channel : null,
    type: known.find((name) => name.toLowerCase() === type?.toLowerCase()) ?? null,
    search: searchOf(query),
    asset: (query.get('asset') ?? '').toUpperCase().slice(0, 20),
    ...rangeOf(query),
    onlyComplete: query.get('complete') === 'true',
  };
}

/** Changes for `setQuery`: every filter by its name in the address, null where it says nothing. */
export function addressChanges(filters: Filters): Record<string, string | null> {
  return {
    channel: filters.channel,
    type: filters.type,
    search: filters.search === '' ? null : filters.search,
    asset: filters.asset === '' ? null : filters.asset,
    from: filters.from,
    to: filters.to,
    complete: filters.onlyComplete ? 'true' : null,
  };
}

export function isFiltered(filters: Filters): boolean {
  return isAnySet(addressChanges(filters));
}

export function apiQuery(filters: Filters): SignalQuery {
  const search = filters.search.trim();
  return {
    ...(filters.channel !== null && { channel: filters.channel }),
    ...(filters.type !== null && { type: filters.type }),
    ...(search !== '' && { search }),
    ...(filters.asset !== '' && { asset: filters.asset }),
    ...rangeQuery(filters),
    ...(filters.onlyComplete && { complete: true }),
  };
}

function matchesType(signal: Signal, type: string): boolean {
  const isDirection = (DIRECTIONS as readonly string[]).includes(type);
  return isDirection ? signal.signal_type === type : signal.trade_type?.toLowerCase() === type.toLowerCase();
}

/** Accents, case, invisible characters, and Markdown unless it is asked for, as the API folds them (its search.h). */
function fold(text: string, keepMarkdown: boolean): string {
  const plain = text.normalize('NFD').replace(/[\u0300-\u036f\u200b-\u200d\u2060\ufeff\ufe0e\ufe0f]/gu, '');
  const dashes = plain.replace(/[\u2010-\u2015\u2212]/gu, '-').replace(/\r\n?/gu, '\n');
  return (keepMarkdown ? dashes : dashes.replace(/[*_~`]/gu, '')).toUpperCase();
}

function matchesSearch(signal: Signal, search: string): boolean {
  const keepMarkdown = /[*_~`]/u.test(search);
  const wanted = fold(search.trim(), keepMarkdown);
  const texts = [signal.raw_message, signal.asset ?? ''];
  return texts.some((text) => fold(text, keepMarkdown).includes(wanted));
}

function matchesTime(signal: Signal, { from, to }: Filters): boolean {
  const time = Date.parse(signal.ts);
  if (from !== null && time < Date.parse(startOfDay(from))) return false;
  return to === null || time <= Date.parse(endOfDay(to));
}

/** The API's rule, for rows that come by the stream. */
export function matches(signal: Signal, filters: Filters): boolean {
  const { channel, type, asset } = filters;
  if (channel !== null && signal.channel_id !== channel && signal.channel !== channel) return false;
  if (type !== null && !matchesType(signal, type)) return false;
  if (asset !== '' && signal.asset?.toUpperCase() !== asset) return false;
  if (filters.onlyComplete && !signal.complete) return false;
  return matchesTime(signal, filters) && matchesSearch(signal, filters.search);
}
