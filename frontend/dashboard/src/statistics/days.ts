/** Numbers of the statistics as the chart and the tables need them. */
import type { Counts, Statistics } from '../api/types.ts';
import { dayOf } from '../lib/format.ts';
import { addressOf } from '../lib/router.ts';
import { addressChanges, type Filters } from '../signals/filters.ts';

export type Day = Statistics['days'][number];

/** Share of complete signals; null without signals. */
export function completeShare({ signals, complete }: Counts): number | null {
  return signals === 0 ? null : complete / signals;
}

export type ChannelCounts = Statistics['channels'][number];

/** What the rows of a channel are found by: its number; those of an older system have only its name. */
export const channelKey = ({
  channel_id: id,
  channel,
}: Pick<ChannelCounts, 'channel_id' | 'channel'>): string => id ?? channel;

/** One row a channel: the API counts each name that a channel has had apart, but its rows are found by its number. */
export function byChannel(channels: readonly ChannelCounts[]): ChannelCounts[] {
  const merged = new Map<string, ChannelCounts>();
  for (const entry of channels) {
    const key = channelKey(entry);
    const known = merged.get(key);
    if (!known) {
      merged.set(key, entry);
      continue;
    }
    merged.set(key, {
      ...known,
      messages: known.messages + entry.messages,
      signals: known.signals + entry.signals,
      buy: known.buy + entry.buy,
      sell: known.sell + entry.sell,
      complete: known.complete + entry.complete,
      last_ts: known.last_ts > entry.last_ts ? known.last_ts : entry.last_ts,
    });
  }
  return [...merged.values()].sort((a, b) => b.signals - a.signals);
}

/** For the chart: one column a day, sales stacked on purchases. */
export function stacked(days: readonly Day[]): { at: number[]; total: number[]; buy: number[] } {
  return {
    at: days.map((_, index) => index),
    total: days.map(({ buy, sell }) => buy + sell),
    buy: days.map(({ buy }) => buy),
  };
}

/** Room of the chart's vertical axis, and of its other edge. */
export const LEFT_PX = 48;
export const RIGHT_PX = 8;

/** Half a column and a little air on both sides. */
export const scaleOf = (days: number): [number, number] => [-0.6, Math.max(0, days - 1) + 0.6];

/** Where the middle of a day's column stands in a chart of that width. */
export function columnAt(index: number, days: number, width: number): number {
  const [from, to] = scaleOf(days);
  return LEFT_PX + ((index - from) / (to - from)) * (width - LEFT_PX - RIGHT_PX);
}

/** Whole numbers only, and never more lines than fit: a step of 1, 2 or 5 times a power of ten. */
export function stepsTo(highest: number, most: number): number[] {
  const top = Math.max(1, highest);
  let step = 1;
  for (let power = 1; top / step > most; power *= 10)
    step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => top / each <= most) ?? 10 * power;
  const count = Math.ceil(top / step);
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

/**
 * The list behind a number: the filters of the statistics with `part` on top, within the days that were counted, so that list and
 * number agree.
 */
export function listAddress(
  filters: Filters,
  counted: Pick<Statistics, 'from'>,
  part: Partial<Filters> = {},
): string {
  const within = filters.from === null ? { from: dayOf(counted.from) } : {};
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(addressChanges({ ...filters, ...within, ...part })))
    if (value !== null) query.set(name, value);
  return addressOf('/sinais', query);
}
