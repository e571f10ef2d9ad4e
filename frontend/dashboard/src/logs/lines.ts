/** Log lines: what stands in the address, keys that stay with a line while the list grows, and the search in what is loaded. */
import { oneOf } from '../lib/query.ts';

/** Least urgent first. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Level = (typeof LEVELS)[number];

export const LIMITS = [50, 100, 200] as const;
export const DEFAULT_LIMIT = 100;

export interface Line {
  timestamp: string;
  level: string;
  message: string;
  context: Record<string, unknown>;
}

export interface KeyedLine extends Line {
  key: string;
}

export const levelOf = (query: URLSearchParams): Level | null => oneOf(query.get('level'), LEVELS);

export const limitOf = (query: URLSearchParams): number =>
  LIMITS.find((limit) => String(limit) === query.get('limit')) ?? DEFAULT_LIMIT;

/** Lines have no number. Of equal ones the oldest is the first, so that new lines on top change no key. */
export function keyed(lines: readonly Line[]): KeyedLine[] {
  const seen = new Map<string, number>();
  return [...lines]
    .reverse()
    .map((line) => {
      const text = `${line.timestamp} ${line.level} ${line.message} ${JSON.stringify(line.context)}`;
      const nth = (seen.get(text) ?? 0) + 1;
      seen.set(text, nth);
      return { ...line, key: `${text} ${nth}` };
    })
    .reverse();
}

/** Every word somewhere in the line or its context, case ignored. */
export function matching(lines: readonly KeyedLine[], search: string): KeyedLine[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...lines];
  return lines.filter(({ level, message, context }) => {
    const text = `${level} ${message} ${JSON.stringify(context)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Nested values as they stand in the service's own log. */
export function contextFacts(context: Line['context']): [string, string][] {
  return Object.entries(context).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}
