/**
 * What happened to a list since the server delivered it.
 *
 * The server's pages stay as they came; changes from the stream lie over them. Rows are known by id and a row with a higher `seq`
 * wins, so an event that comes twice, or that a page already contains, changes nothing.
 */
import type { Signal } from '../api/types.ts';
import { idOf } from '../api/types.ts';
import { isLate } from './delay.ts';

export type ChangeKind = 'created' | 'updated' | 'deleted';

export interface Change {
  kind: ChangeKind;
  signal: Signal;
}

export interface Live {
  /** Rows made or changed since the pages came, by id. */
  rows: ReadonlyMap<string, Signal>;
  /** Ids that left the list, with the `seq` at which they left. */
  gone: ReadonlyMap<string, number>;
  /** New rows that wait behind the pill because the reader is looking elsewhere. */
  waiting: ReadonlySet<string>;
  /** New rows to highlight: just in time, and shown a moment ago. */
  fresh: ReadonlySet<string>;
  /** Ids that the server's total does not count yet, and ids that it still counts. */
  born: ReadonlySet<string>;
  died: ReadonlySet<string>;
  /** The pages reflect every change up to this number. */
  base: number;
  /** More came than this list keeps; only reading the pages again brings it up to date. */
  overflowed: boolean;
}

/** Beyond this, keeping changes costs more than reading the first page again. */
export const MAX_LIVE_ROWS = 500;

export const QUIET: Live = {
  rows: new Map(),
  gone: new Map(),
  waiting: new Set(),
  fresh: new Set(),
  born: new Set(),
  died: new Set(),
  base: 0,
  overflowed: false,
};

export interface Context {
  matches: (signal: Signal) => boolean;
  /** True if new rows have to wait. */
  hold: boolean;
  /** True if the row is in the server's pages. */
  isListed: (id: string) => boolean;
}

interface Draft {
  rows: Map<string, Signal>;
  gone: Map<string, number>;
  waiting: Set<string>;
  fresh: Set<string>;
  born: Set<string>;
  died: Set<string>;
}

const draftOf = (live: Live): Draft => ({
  rows: new Map(live.rows),
  gone: new Map(live.gone),
  waiting: new Set(live.waiting),
  fresh: new Set(live.fresh),
  born: new Set(live.born),
  died: new Set(live.died),
});

function remove(draft: Draft, id: string, seq: number, isCounted: boolean): void {
  if (!draft.born.delete(id) && isCounted) draft.died.add(id);
  draft.rows.delete(id);
  draft.waiting.delete(id);
  draft.fresh.delete(id);
  draft.gone.set(id, seq);
}

function put(draft: Draft, signal: Signal): void {
  const id = idOf(signal);
  draft.rows.set(id, signal);
  draft.gone.delete(id);
  draft.died.delete(id);
}

function greet(draft: Draft, signal: Signal, hold: boolean): void {
  const id = idOf(signal);
  draft.born.add(id);
  if (hold) draft.waiting.add(id);
  else if (!isLate(signal)) draft.fresh.add(id);
}

function applyOne(draft: Draft, { kind, signal }: Change, context: Context): void {
  const id = idOf(signal);
  const known = draft.rows.get(id);
  if (signal.seq <= Math.max(known?.seq ?? 0, draft.gone.get(id) ?? 0)) return;

  const isInList = known !== undefined || (context.isListed(id) && !draft.gone.has(id));
  const belongs = context.matches(signal);
  if (kind === 'deleted') remove(draft, id, signal.seq, isInList || belongs);
  else if (belongs) {
    put(draft, signal);
    if (!isInList && kind === 'created') greet(draft, signal, context.hold);
  } else if (isInList) remove(draft, id, signal.seq, true);
}

export function applyChanges(live: Live, changes: readonly Change[], context: Context): Live {
  const news = changes.filter(({ signal }) => signal.seq > live.base);
  if (news.length === 0) return live;
  const draft = draftOf(live);
  for (const change of news) applyOne(draft, change, context);
  const overflowed = live.overflowed || draft.rows.size + draft.gone.size > MAX_LIVE_ROWS;
  return { ...draft, base: live.base, overflowed };
}

/** Lets the waiting rows in. */
export function release(live: Live): Live {
  if (live.waiting.size === 0) return live;
  const fresh = new Set(live.fresh);
  for (const id of live.waiting) {
    const signal = live.rows.get(id);
    if (signal && !isLate(signal)) fresh.add(id);
  }
  return { ...live, waiting: new Set(), fresh };
}

export function settle(live: Live): Live {
  return live.fresh.size === 0 ? live : { ...live, fresh: new Set() };
}

/** The pages were read again and reflect everything up to `seq`: only what is newer stays. */
export function rebase(live: Live, seq: number): Live {
  const rows = new Map([...live.rows].filter(([, signal]) => signal.seq > seq));
  const gone = new Map([...live.gone].filter(([, at]) => at > seq));
  const stillRow = (id: string) => rows.has(id);
  return {
    rows,
    gone,
    waiting: new Set([...live.waiting].filter(stillRow)),
    fresh: new Set([...live.fresh].filter(stillRow)),
    born: new Set([...live.born].filter(stillRow)),
    died: new Set([...live.died].filter((id) => gone.has(id))),
    base: seq,
    overflowed: false,
  };
}

export const balanceOf = (live: Live): number => live.born.size - live.died.size;

export function countWaiting(live: Live): { fresh: number; late: number } {
  let late = 0;
  for (const id of live.waiting) {
    const signal = live.rows.get(id);
    if (signal && isLate(signal)) late += 1;
  }
  return { fresh: live.waiting.size - late, late };
}

/** Newest first; of two in one instant the higher id. The API's order. */
function compare(a: Signal, b: Signal): number {
  const byTime = Date.parse(b.ts) - Date.parse(a.ts);
  if (byTime !== 0) return byTime;
  const [x, y] = [BigInt(a.id), BigInt(b.id)];
  return x < y ? 1 : x > y ? -1 : 0;
}

/** What the reader sees. A changed row older than everything loaded stays out until its page is loaded. */
export function visibleRows(pages: readonly Signal[], live: Live, hasMore: boolean): Signal[] {
  const shown = new Map<string, Signal>();
  const oldest = pages.at(-1);
  for (const signal of pages) {
    const id = idOf(signal);
    const known = shown.get(id);
    if (!known || known.seq < signal.seq) shown.set(id, signal);
  }
  for (const [id, signal] of live.rows) {
    const listed = shown.get(id);
    const isBeyond = hasMore && oldest !== undefined && compare(signal, oldest) > 0;
    if (listed ? listed.seq < signal.seq : !live.waiting.has(id) && !isBeyond) shown.set(id, signal);
  }
  for (const [id, seq] of live.gone) if ((shown.get(id)?.seq ?? Infinity) <= seq) shown.delete(id);
  return [...shown.values()].sort(compare);
}
