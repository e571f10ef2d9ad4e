/** Address bar as state. Filters, open panel and page live there, so that back works and a link shows the same view. */
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('popstate', notify);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('popstate', notify);
  };
}

const snapshot = () => window.location.pathname + window.location.search;

export interface Place {
  path: string;
  query: URLSearchParams;
}

export function placeOf(address: string): Place {
  const cut = address.indexOf('?');
  const path = cut < 0 ? address : address.slice(0, cut);
  return { path, query: new URLSearchParams(cut < 0 ? '' : address.slice(cut + 1)) };
}

export function useAddress(): string {
  return useSyncExternalStore(subscribe, snapshot);
}

export function addressOf(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** `replace` for what a person types letter by letter: back should not undo one letter. */
export function go(address: string, how: 'push' | 'replace' = 'push'): void {
  if (address === snapshot()) return;
  if (how === 'push') window.history.pushState(null, '', address);
  else window.history.replaceState(null, '', address);
  notify();
}

/** Changes parameters of the present address; null removes one. */
export function setQuery(changes: Readonly<Record<string, string | null>>, how?: 'push' | 'replace'): void {
  const { path, query } = placeOf(snapshot());
  for (const [name, value] of Object.entries(changes))
    if (value === null) query.delete(name);
    else query.set(name, value);
  go(addressOf(path, query), how);
}

/** For onClick of a real link: plain clicks stay in the page, the others (new tab, new window) stay the browser's. */
export function followInPage(event: React.MouseEvent<HTMLAnchorElement>): void {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!plain || event.defaultPrevented) return;
  event.preventDefault();
  const { pathname, search } = event.currentTarget;
  go(pathname + search);
}
