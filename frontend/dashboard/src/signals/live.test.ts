import { describe, expect, test } from 'vitest';
import { idOf, type Signal } from '../api/types.ts';
import { aSignal } from '../testing/signal.ts';
import {
  applyChanges,
  balanceOf,
  countWaiting,
  MAX_LIVE_ROWS,
  QUIET,
  rebase,
  release,
  settle,
  visibleRows,
  type Change,
  type Context,
  type Live,
} from './live.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 23, 13, 0, seconds)).toISOString();
/** A signal stored one second after it was sent. */
const row = (seq: number, part: Partial<Signal> = {}) =>
  aSignal({ seq, id: seq, ts: at(seq), ingested_at: at(seq + 1), ...part });
const late = (seq: number) => row(seq, { ts: at(seq - 300) });

const context = (part: Partial<Context> = {}): Context => ({
  matches: () => true,
  hold: false,
  isListed: () => false,
  ...part,
});
const created = (signal: Signal): Change => ({ kind: 'created', signal });
const updated = (signal: Signal): Change => ({ kind: 'updated', signal });
const deleted = (signal: Signal): Change => ({ kind: 'deleted', signal });

const after = (changes: Change[], part: Partial<Context> = {}, live: Live = QUIET) =>
  applyChanges(live, changes, context(part));
const ids = (rows: readonly Signal[]) => rows.map((signal) => Number(idOf(signal)));

describe('new rows', () => {
  test('stand on top and are highlighted', () => {
    const live = after([created(row(3))]);
    expect(ids(visibleRows([row(2), row(1)], live, false))).toEqual([3, 2, 1]);
    expect([...live.fresh]).toEqual(['3']);
    expect(balanceOf(live)).toBe(1);
  });

  test('wait while the reader is elsewhere, and come in when released', () => {
    const live = after([created(row(3)), created(row(4))], { hold: true });
    expect(ids(visibleRows([row(2)], live, false))).toEqual([2]);
    expect(countWaiting(live)).toEqual({ fresh: 2, late: 0 });
    const released = release(live);
    expect(ids(visibleRows([row(2)], released, false))).toEqual([4, 3, 2]);
    expect(countWaiting(released)).toEqual({ fresh: 0, late: 0 });
    expect(released.fresh.size).toBe(2);
  });

  test('that are late are counted apart and never highlighted', () => {
    const held = after([created(row(400)), created(late(401)), created(late(402))], { hold: true });
    expect(countWaiting(held)).toEqual({ fresh: 1, late: 2 });
    expect([...release(held).fresh]).toEqual(['400']);
    expect(after([created(late(401))]).fresh.size).toBe(0);
  });

  test('that do not match the filter are left out', () => {
    const live = after([created(row(3))], { matches: () => false });
    expect(visibleRows([row(2)], live, false)).toHaveLength(1);
    expect(balanceOf(live)).toBe(0);
  });

  test('lose their highlight', () => expect(settle(after([created(row(3))])).fresh.size).toBe(0));

  test('of one instant stand by id', () => {
    const same = { ts: at(9) };
    const live = after([created(row(3, same)), created(row(10, same))]);
    expect(ids(visibleRows([row(4, same)], live, false))).toEqual([10, 4, 3]);
  });
});

describe('the same event twice', () => {
  test('changes nothing', () => {
    const once = after([created(row(3))]);
    const twice = after([created(row(3))], {}, once);
    expect(visibleRows([row(2)], twice, false)).toEqual(visibleRows([row(2)], once, false));
    expect(balanceOf(twice)).toBe(1);
  });

  test('a row that a page already has is not doubled', () => {
    const live = after([created(row(3))]);
    expect(ids(visibleRows([row(3), row(2)], live, false))).toEqual([3, 2]);
  });

  test('a row on two pages, because one slipped down between reads, is shown once', () =>
    expect(ids(visibleRows([row(3), row(2), row(2), row(1)], QUIET, false))).toEqual([3, 2, 1]));

  test('what the pages already reflect is ignored', () => {
    const live = rebase(QUIET, 10);
    expect(after([created(row(9)), deleted(row(8))], {}, live)).toBe(live);
  });
});

describe('changed rows', () => {
  test('the higher seq wins, in either order', () => {
    const edited = row(2, { seq: 7, asset: 'VALE3' });
    const live = after([updated(edited)], { isListed: () => true });
    expect(visibleRows([row(2)], live, false)[0]?.asset).toBe('VALE3');
    const stale = after([updated(row(2, { seq: 6, asset: 'PETR4' }))], {}, live);
    expect(visibleRows([row(2)], stale, false)[0]?.asset).toBe('VALE3');
    expect(balanceOf(live)).toBe(0);
    expect(live.fresh.size).toBe(0);
  });

  test('that stop matching leave', () => {
    const live = after([updated(row(2, { seq: 7 }))], { isListed: () => true, matches: () => false });
    expect(visibleRows([row(2)], live, false)).toEqual([]);
    expect(balanceOf(live)).toBe(-1);
  });

  test('older than everything loaded wait for their page', () => {
    const live = after([updated(row(1, { seq: 9 }))]);
    expect(ids(visibleRows([row(5), row(4)], live, true))).toEqual([5, 4]);
    expect(ids(visibleRows([row(5), row(4)], live, false))).toEqual([5, 4, 1]);
  });
});

describe('deleted rows', () => {
  test('leave the pages', () => {
    const live = after([deleted(row(2, { seq: 7 }))], { isListed: () => true });
    expect(ids(visibleRows([row(3), row(2)], live, false))).toEqual([3]);
    expect(balanceOf(live)).toBe(-1);
  });

  test('that were new count neither way', () => {
    const live = after([created(row(3)), deleted(row(3, { seq: 4 }))]);
    expect(visibleRows([], live, false)).toEqual([]);
    expect(balanceOf(live)).toBe(0);
  });

  test('do not come back by an event from before', () => {
    const live = after([deleted(row(3, { seq: 8 })), created(row(3))]);
    expect(visibleRows([], live, false)).toEqual([]);
  });
});

describe('pages read again', () => {
  test('make what they reflect forgotten, and keep what is newer', () => {
    const live = after([created(row(3)), created(row(6)), deleted(row(1, { seq: 4 }))], { hold: true });
    const fresh = rebase(live, 4);
    expect([...fresh.rows.keys()]).toEqual(['6']);
    expect([...fresh.waiting]).toEqual(['6']);
    expect(fresh.gone.size).toBe(0);
    expect(balanceOf(fresh)).toBe(1);
  });

  test('are asked for when too much came', () => {
    const many = Array.from({ length: MAX_LIVE_ROWS + 1 }, (_, n) => created(row(n + 1)));
    expect(after(many).overflowed).toBe(true);
    expect(rebase(after(many), MAX_LIVE_ROWS + 1)).toMatchObject({ overflowed: false, rows: new Map() });
  });
});
