/** One polite live region for the whole page. What comes within a few seconds is said once, by the latest text. */
import { createStore } from './store.ts';

const QUIET_MS = 4_000;

export const announcement = createStore('');
let pending: string | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;

function say(): void {
  timer = null;
  if (pending === null) return;
  announcement.set(pending);
  pending = null;
  timer = setTimeout(say, QUIET_MS);
}

export function announce(text: string): void {
  pending = text;
  timer ??= setTimeout(say, 0);
}
