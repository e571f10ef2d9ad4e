/** From the message being sent to its row being painted, for signals that this page saw arrive. */
import { createStore } from '../lib/store.ts';

const KEPT = 500;

export const latencies = createStore<readonly number[]>([]);

export function recordPainted(sentAt: readonly number[]): void {
  if (sentAt.length === 0 || document.hidden) return;
  requestAnimationFrame(() => {
    const now = Date.now();
    const measured = sentAt.map((sent) => Math.max(0, now - sent));
    latencies.set((before) => [...before, ...measured].slice(-KEPT));
  });
}

/** Upper bounds in ms; the last bin is open. */
export const BIN_BOUNDS_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000] as const;

export function binned(values: readonly number[]): number[] {
  const bins = new Array<number>(BIN_BOUNDS_MS.length + 1).fill(0);
  for (const value of values) {
    const at = BIN_BOUNDS_MS.findIndex((bound) => value < bound);
    const bin = at < 0 ? BIN_BOUNDS_MS.length : at;
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return bins;
}

export function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
