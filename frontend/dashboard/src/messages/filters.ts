/** Filters of the Mensagens page, for the address bar and the API; and where Telegram shows a message. */
import type { MessageQuery } from '../api/client.ts';
import { isAnySet, oneOf, rangeOf, rangeQuery, searchOf, type DayRange } from '../lib/query.ts';

export const PAGE_SIZES = [25, 50, 100, 200] as const;
export type PageSize = (typeof PAGE_SIZES)[number];
export const DEFAULT_SIZE: PageSize = 50;

export const METHODS = ['forward', 'copy'] as const;
export type Method = (typeof METHODS)[number];

export interface MessageFilters extends DayRange {
  /** Channel id of the source. */
  channel: string | null;
  /** With an image, or without; null is both. */
  media: 'with' | 'without' | null;
  method: Method | null;
  search: string;
}

export const NO_FILTERS: MessageFilters = {
  channel: null,
  media: null,
  method: null,
  search: '',
  from: null,
  to: null,
};

const isChannelId = (text: string | null): text is string => text !== null && /^-?\d{1,19}$/.test(text);

export function messageFiltersOf(query: URLSearchParams): MessageFilters {
  const channel = query.get('channel');
  return {
    channel: isChannelId(channel) ? channel : null,
    media: oneOf(query.get('media'), ['with', 'without'] as const),
    method: oneOf(query.get('method'), METHODS),
    search: searchOf(query),
    ...rangeOf(query),
  };
}

export function pageSizeOf(query: URLSearchParams): PageSize {
  return PAGE_SIZES.find((size) => String(size) === query.get('rows')) ?? DEFAULT_SIZE;
}

export function messageAddress(filters: MessageFilters): Record<string, string | null> {
  const { search, ...others } = filters;
  return { ...others, search: search === '' ? null : search };
}

export const isFiltered = (filters: MessageFilters): boolean => isAnySet(messageAddress(filters));

export function messageQuery(filters: MessageFilters): MessageQuery {
  const search = filters.search.trim();
  return {
    ...(filters.channel !== null && { channelId: filters.channel }),
    ...(filters.media !== null && { media: filters.media === 'with' }),
    ...(filters.method !== null && { method: filters.method }),
    ...(search !== '' && { search }),
    ...rangeQuery(filters),
  };
}

/**
 * Address of one message in a channel, for those who are members of it. Only channels have one: their ids are -100, then ten digits with
 * the number that the address wants.
 */
export function telegramAddress(channelId: string, messageId: number | string): string | null {
  const number = /^-1000*([1-9]\d*)$/.exec(channelId)?.[1];
  return number !== undefined && /^[1-9]\d*$/.test(String(messageId))
    ? `https://t.me/c/${number}/${messageId}`
    : null;
}
