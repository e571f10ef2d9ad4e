import { createStore } from './store.ts';

export interface Toast {
  id: number;
  tone: 'info' | 'done' | 'failed';
  text: string;
}

const SHOWN_MS = 5_000;
const MOST = 3;

export const toasts = createStore<readonly Toast[]>([]);
let last = 0;

export function dismiss(id: number): void {
  toasts.set((shown) => shown.filter((toast) => toast.id !== id));
}

/** A failure stays until it is dismissed, the rest goes by itself. */
export function toast(tone: Toast['tone'], text: string): number {
  const id = (last += 1);
  toasts.set((shown) => [...shown, { id, tone, text }].slice(-MOST));
  if (tone !== 'failed') setTimeout(() => dismiss(id), SHOWN_MS);
  return id;
}

export function retext(id: number, text: string): void {
  toasts.set((shown) => shown.map((toast) => (toast.id === id ? { ...toast, text } : toast)));
}
