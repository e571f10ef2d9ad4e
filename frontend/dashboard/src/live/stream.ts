/**
 * One connection to /signals/stream for the whole page.
 *
 * The browser would reconnect by itself, but at a pace of its own and for ever, also in a hidden tab; so each failure closes
 * the connection and this module opens the next one, from the last position received. A position names its database: when that is
 * another one by now, the service answers with a reset.
 */
import type { Signal } from '../api/types.ts';
import type { Change } from '../signals/live.ts';
import { createStore, type Store } from '../lib/store.ts';

export const BACKOFF_MS = [2_000, 5_000, 15_000, 30_000] as const;
/** How long "Reconectado" stays. */
export const RECONNECTED_MS = 4_000;

export type Connection =
  | { state: 'idle' }
  | { state: 'connecting' }
  | { state: 'live'; since: number; isBack: boolean }
  /** offline: the same, while this device says that it has no network. */
  | { state: 'waiting' | 'offline'; nextAt: number; lostAt: number };

export interface StreamEvents {
  onChange: (change: Change) => void;
  /** Events can't bring the reader up to date: read the lists again. */
  onReset: () => void;
}

/** What this module needs of the browser; tests give their own. */
export interface StreamWorld {
  open: (address: string) => EventSource;
  now: () => number;
  setTimer: (run: () => void, ms: number) => number;
  clearTimer: (timer: number) => void;
}

export const browserWorld: StreamWorld = {
  open: (address) => new EventSource(address),
  now: () => Date.now(),
  setTimer: (run, ms) => window.setTimeout(run, ms),
  clearTimer: (timer) => window.clearTimeout(timer),
};

const KINDS = {
  'signal.created': 'created',
  'signal.updated': 'updated',
  'signal.deleted': 'deleted',
} as const;

export class SignalStream {
  readonly connection: Store<Connection> = createStore<Connection>({ state: 'idle' });
  private readonly address: string;
  private readonly events: StreamEvents;
  private readonly world: StreamWorld;
  private source: EventSource | null = null;
  private timer: number | null = null;
  /** "<store>-<seq>", what is on the screen; null = not started. */
  private position: string | null = null;
  private seq = 0;
  private failures = 0;
  private lostAt: number | null = null;
  private isOnline = true;
  private isHidden = false;

  constructor(address: string, events: StreamEvents, world: StreamWorld = browserWorld) {
    this.address = address;
    this.events = events;
    this.world = world;
  }

  /** Begins after `position`; a stream that already runs keeps its own, later one. */
  start(position: string): void {
    if (this.position !== null) return;
    this.moveTo(position);
    this.connect();
  }

  stop(): void {
    this.close();
    this.position = null;
    this.connection.set({ state: 'idle' });
  }

  /** The button "tentar agora". */
  retryNow(): void {
    if (this.source === null && this.position !== null) this.connect();
  }

  /**
   * The device lost or found a network. Neither says anything about a service on this same machine, so the connection is
   * tried anew: it stands again at once, or fails now instead of hanging half open.
   */
  setOnline(isOnline: boolean): void {
    if (this.isOnline === isOnline) return;
    this.isOnline = isOnline;
    this.failures = 0;
    if (this.position !== null) this.connect();
  }

  /** A hidden tab keeps the connection it has, but makes no new one until it is looked at again. */
  setHidden(isHidden: boolean): void {
    this.isHidden = isHidden;
    if (!isHidden) this.retryNow();
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    if (this.timer !== null) this.world.clearTimer(this.timer);
    this.timer = null;
  }

  private connect(): void {
    this.close();
    if (this.connection.get().state === 'idle') this.connection.set({ state: 'connecting' });
    const source = this.world.open(`${this.address}?since=${encodeURIComponent(this.position ?? '0')}`);
    this.source = source;
    source.onopen = () => this.opened();
    source.onerror = () => this.failed();
    for (const [name, kind] of Object.entries(KINDS))
      source.addEventListener(name, (event: MessageEvent<string>) => {
        this.changed({ kind, signal: JSON.parse(event.data) as Signal }, event.lastEventId);
      });
    source.addEventListener('reset', (event: MessageEvent<string>) => {
      this.moveTo(event.lastEventId);
      this.events.onReset();
    });
  }

  private moveTo(position: string): void {
    this.position = position;
    this.seq = Number(position.slice(position.lastIndexOf('-') + 1));
  }

  private opened(): void {
    const isBack = this.lostAt !== null;
    this.failures = 0;
    this.lostAt = null;
    const since = this.world.now();
    this.connection.set({ state: 'live', since, isBack });
    if (!isBack) return;
    this.timer = this.world.setTimer(() => {
      this.timer = null;
      this.connection.set((now) => (now.state === 'live' ? { ...now, isBack: false } : now));
    }, RECONNECTED_MS);
  }

  private changed(change: Change, eventId: string): void {
    if (change.signal.seq <= this.seq) return;
    this.moveTo(eventId);
    this.events.onChange(change);
  }

  private failed(): void {
    this.close();
    this.lostAt ??= this.world.now();
    const wait = BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length - 1)] ?? BACKOFF_MS[0];
    this.failures += 1;
    const nextAt = this.world.now() + wait;
    const state = this.isOnline ? 'waiting' : 'offline';
    this.connection.set({ state, nextAt, lostAt: this.lostAt });
    this.timer = this.world.setTimer(() => {
      this.timer = null;
      if (!this.isHidden) this.connect();
    }, wait);
  }
}
