/** Texts that people search by, days they choose: as they stand in the address bar, and as the API takes them. */
import { endOfDay, startOfDay } from './format.ts';

/** The API takes 1 to 100 bytes of search; letters beyond ASCII count more than once. */
export const SEARCH_MAX_BYTES = 100;
const encoder = new TextEncoder();

export function clipBytes(text: string, max: number): string {
  let clipped = text;
  while (encoder.encode(clipped).length > max) clipped = Array.from(clipped).slice(0, -1).join('');
  return clipped;
}

/** Without marks and case, so that `acao` finds `Ação`. */
export const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

export function isDay(text: string | null): text is string {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

/** One of the words that are allowed, or null. */
export function oneOf<T extends string>(text: string | null, allowed: readonly T[]): T | null {
  return allowed.find((word) => word === text) ?? null;
}

/** Days in São Paulo, `YYYY-MM-DD`, both inclusive. */
export interface DayRange {
  from: string | null;
  to: string | null;
}

export function rangeOf(query: URLSearchParams): DayRange {
  const [from, to] = [query.get('from'), query.get('to')];
  return { from: isDay(from) ? from : null, to: isDay(to) ? to : null };
}

export function rangeQuery({ from, to }: DayRange): { from?: string; to?: string } {
  return { ...(from !== null && { from: startOfDay(from) }), ...(to !== null && { to: endOfDay(to) }) };
}

export const searchOf = (query: URLSearchParams): string =>
  clipBytes(query.get('search') ?? '', SEARCH_MAX_BYTES);

export const isAnySet = (changes: Readonly<Record<string, string | null>>): boolean =>
  Object.values(changes).some((value) => value !== null);
