import { beforeEach, describe, expect, test } from 'vitest';
import type { Change } from '../signals/live.ts';
import { aSignal } from '../testing/signal.ts';
import { BACKOFF_MS, RECONNECTED_MS, SignalStream, type StreamWorld } from './stream.ts';

/** The browser, by hand: connections that the test opens, breaks and feeds, and a clock that it turns. */
class World implements StreamWorld {
  time = 1_000_000;
  readonly opened: FakeSource[] = [];
  private timers = new Map<number, { at: number; run: () => void }>();
  private lastTimer = 0;

  open = (address: string) => {
    const source = new FakeSource(address);
    this.opened.push(source);
    return source as unknown as EventSource;
  };
  now = () => this.time;
  setTimer = (run: () => void, ms: number) => {
    this.timers.set((this.lastTimer += 1), { at: this.time + ms, run });
    return this.lastTimer;
  };
  clearTimer = (timer: number) => void this.timers.delete(timer);

  pass(ms: number) {
    this.time += ms;
    for (const [id, { at, run }] of [...this.timers])
      if (at <= this.time) {
        this.timers.delete(id);
        run();
      }
  }
  get source(): FakeSource {
    const last = this.opened.at(-1);
    if (!last) throw new Error('nothing was opened');
    return last;
  }
}

class FakeSource {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  readonly address: string;
  private readonly handlers = new Map<string, (event: { data: string; lastEventId: string }) => void>();

  constructor(address: string) {
    this.address = address;
  }
  addEventListener(name: string, handler: (event: { data: string; lastEventId: string }) => void) {
    this.handlers.set(name, handler);
  }
  close() {
    this.closed = true;
  }
  send(name: string, data: unknown, seq: number, store = 'store') {
    this.handlers.get(name)?.({ data: JSON.stringify(data), lastEventId: `${store}-${seq}` });
  }
}

let world: World;
let changes: Change[];
let resets: number;
let stream: SignalStream;

beforeEach(() => {
  world = new World();
  changes = [];
  resets = 0;
  const events = { onChange: (change: Change) => changes.push(change), onReset: () => (resets += 1) };
  stream = new SignalStream('/stream', events, world);
  stream.start('store-40');
  world.source.onopen?.();
});

const state = () => stream.connection.get().state;

test('begins where the list ended, and hands on what comes', () => {
  expect(world.source.address).toBe('/stream?since=store-40');
  expect(state()).toBe('live');
  world.source.send('signal.created', aSignal({ seq: 41 }), 41);
  world.source.send('signal.deleted', aSignal({ seq: 42 }), 42);
  expect(changes.map(({ kind }) => kind)).toEqual(['created', 'deleted']);
});

test('a second start changes nothing', () => {
  stream.start('store-99');
  expect(world.opened).toHaveLength(1);
});

test('the same event twice is handed on once', () => {
  world.source.send('signal.created', aSignal({ seq: 41 }), 41);
  world.source.send('signal.created', aSignal({ seq: 41 }), 41);
  expect(changes).toHaveLength(1);
});

describe('a lost connection', () => {
  test('is tried again after 2, 5, 15, 30 and 30 s, from the last number', () => {
    world.source.send('signal.created', aSignal({ seq: 57 }), 57);
    for (const wait of [...BACKOFF_MS, 30_000]) {
      const before = world.opened.length;
      world.source.onerror?.();
      expect(world.source.closed, 'the browser must not reconnect by itself').toBe(true);
      expect(stream.connection.get()).toMatchObject({ state: 'waiting', nextAt: world.time + wait });
      world.pass(wait - 1);
      expect(world.opened).toHaveLength(before);
      world.pass(1);
      expect(world.opened).toHaveLength(before + 1);
      expect(world.source.address).toBe('/stream?since=store-57');
    }
  });

  test('remembers when it was lost, and says that it is back', () => {
    const lostAt = world.time;
    world.source.onerror?.();
    world.pass(2_000);
    world.source.onerror?.();
    expect(stream.connection.get()).toMatchObject({ lostAt });
    world.pass(5_000);
    world.source.onopen?.();
    expect(stream.connection.get()).toMatchObject({ state: 'live', isBack: true });
    world.pass(RECONNECTED_MS);
    expect(stream.connection.get()).toMatchObject({ state: 'live', isBack: false });
  });

  test('begins with the short wait again after a success', () => {
    world.source.onerror?.();
    world.pass(2_000);
    world.source.onopen?.();
    world.source.onerror?.();
    expect(stream.connection.get()).toMatchObject({ nextAt: world.time + 2_000 });
  });

  test('is tried at once by hand', () => {
    world.source.onerror?.();
    stream.retryNow();
    expect(world.opened).toHaveLength(2);
    world.pass(2_000);
    expect(world.opened, 'the waiting timer is gone').toHaveLength(2);
  });

  test('waits for a hidden tab to be looked at', () => {
    stream.setHidden(true);
    world.source.onerror?.();
    world.pass(60_000);
    expect(world.opened).toHaveLength(1);
    stream.setHidden(false);
    expect(world.opened).toHaveLength(2);
  });
});

describe('the network of the device', () => {
  test('going away tries the connection anew and names the cause', () => {
    stream.setOnline(false);
    expect(world.opened).toHaveLength(2);
    world.source.onerror?.();
    expect(state()).toBe('offline');
  });

  test('a service on this machine stays live without it', () => {
    stream.setOnline(false);
    world.source.onopen?.();
    expect(state()).toBe('live');
  });

  test('coming back tries at once', () => {
    stream.setOnline(false);
    world.source.onerror?.();
    stream.setOnline(true);
    world.source.onopen?.();
    expect(stream.connection.get()).toMatchObject({ state: 'live', isBack: true });
  });
});

test('reset asks for the lists again and goes on from its number, also from a lower one', () => {
  world.source.send('reset', { seq: 7 }, 7);
  expect(resets).toBe(1);
  world.source.send('signal.created', aSignal({ seq: 8 }), 8);
  expect(changes).toHaveLength(1);
  world.source.onerror?.();
  world.pass(2_000);
  expect(world.source.address).toBe('/stream?since=store-8');
});

test('reset by another database goes on in that one, whatever its numbers are', () => {
  world.source.send('reset', { seq: 900 }, 900, 'other-store');
  expect(resets).toBe(1);
  world.source.send('signal.created', aSignal({ seq: 901 }), 901, 'other-store');
  expect(changes).toHaveLength(1);
  world.source.onerror?.();
  world.pass(2_000);
  expect(world.source.address).toBe('/stream?since=other-store-901');
});

test('stop closes and stays closed', () => {
  stream.stop();
  expect(world.source.closed).toBe(true);
  world.pass(60_000);
  expect(world.opened).toHaveLength(1);
});
