/** A signal that reached us long after it was sent must not look like a fresh one: the price may have gone. */
import type { Signal } from '../api/types.ts';

export const LATE_AFTER_MS = 60_000;

/** From the message being sent to it being stored. Negative clocks count as none. */
export function delayOf(signal: Pick<Signal, 'ts' | 'ingested_at'>): number {
  return Math.max(0, Date.parse(signal.ingested_at) - Date.parse(signal.ts));
}

export function isLate(signal: Pick<Signal, 'ts' | 'ingested_at'>): boolean {
  return delayOf(signal) > LATE_AFTER_MS;
}
