/** What follows from a signal's prices: risk, reward and the places on a ladder. */
import type { Signal, Span } from '../api/types.ts';

/** The middle of the entry range. */
export function entryOf({ buy_min: min, buy_max: max }: Pick<Signal, 'buy_min' | 'buy_max'>): number | null {
  if (min === null) return max;
  return max === null ? min : (min + max) / 2;
}

/** Change from `from` to `to`, as a ratio. */
export function changeOf(from: number | null, to: number | null): number | null {
  return from === null || to === null || from === 0 ? null : (to - from) / from;
}

export interface Outcome {
  /** What the stop costs and the final target brings, as ratios of the entry, both positive when the signal makes sense. */
  risk: number | null;
  reward: number | null;
  ratio: number | null;
}

export function outcomeOf(signal: Signal): Outcome {
  const entry = entryOf(signal);
  const direction = signal.signal_type === 'SELL' ? -1 : 1;
  const toStop = changeOf(entry, signal.stop);
  const toTarget = changeOf(entry, signal.target_final);
  const risk = toStop === null ? null : -toStop * direction;
  const reward = toTarget === null ? null : toTarget * direction;
  const isSound = risk !== null && reward !== null && risk > 0;
  return { risk, reward, ratio: isSound ? reward / risk : null };
}

export interface Target {
  /** null is the final one, written as such. */
  number: number | null;
  value: number;
  /** The field that the parser's explanation knows it by. */
  field: string;
}

const byNumber = (a: Target, b: Target) => (a.number ?? Infinity) - (b.number ?? Infinity);

/** Targets with the numbers they have in the message. Without a usable explanation they are counted from 1. */
export function targetsOf(signal: Signal, spans: readonly Span[] = []): Target[] {
  const values = signal.take_profit ?? [];
  const named = spans
    .filter(({ field }) => field.startsWith('target_'))
    .map(({ field }) => ({ number: Number(field.slice('target_'.length)) || null, value: 0, field }))
    .sort(byNumber);
  if (named.length !== values.length)
    return values.map((value, at) => ({ number: at + 1, value, field: `target_${at + 1}` }));
  return named.map((target, at) => ({ ...target, value: values[at] ?? 0 }));
}

/** 0 at the lowest price of the signal, 1 at the highest. */
export function ladderScale(prices: readonly number[]): (price: number) => number {
  const low = Math.min(...prices);
  const high = Math.max(...prices);
  return (price) => (high === low ? 0.5 : (price - low) / (high - low));
}
