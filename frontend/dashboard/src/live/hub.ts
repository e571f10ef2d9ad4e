/** The page's one stream, and who listens to it. */
import { API_BASE } from '../api/client.ts';
import type { Change } from '../signals/live.ts';
import { SignalStream, type StreamEvents } from './stream.ts';

const listeners = new Set<StreamEvents>();

export const stream = new SignalStream(`${API_BASE}/signals/stream`, {
  onChange: (change: Change) => {
    for (const listener of listeners) listener.onChange(change);
  },
  onReset: () => {
    for (const listener of listeners) listener.onReset();
  },
});

export function listen(events: StreamEvents): () => void {
  listeners.add(events);
  return () => void listeners.delete(events);
}

/** Tells the stream about the browser; called once at start. */
export function watchBrowser(): void {
  window.addEventListener('online', () => stream.setOnline(true));
  window.addEventListener('offline', () => stream.setOnline(false));
  document.addEventListener('visibilitychange', () => stream.setHidden(document.hidden));
  window.addEventListener('pagehide', () => stream.stop());
  window.addEventListener('pageshow', (event) => {
    // Out of the back-forward cache: what is on the screen is as old as the moment it was left.
    if (event.persisted) window.location.reload();
  });
  stream.setOnline(navigator.onLine);
  stream.setHidden(document.hidden);
}

import.meta.hot?.dispose(() => stream.stop());
