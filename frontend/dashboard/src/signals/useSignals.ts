/** The list of signals: pages from the server, changes from the stream, one result. */
import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import type { InfiniteData } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { get } from '../api/client.ts';
import { idOf, type Signal, type SignalPage } from '../api/types.ts';
import { useStore } from '../lib/store.ts';
import { listen, stream } from '../live/hub.ts';
import { recordPainted } from '../live/latency.ts';
import { patience } from '../live/patience.ts';
import { isLate } from './delay.ts';
import { deletedIds } from './deleting.ts';
import { apiQuery, matches, type Filters } from './filters.ts';
import {
  applyChanges,
  balanceOf,
  countWaiting,
  QUIET,
  rebase,
  release,
  settle,
  visibleRows,
  type Change,
  type Live,
} from './live.ts';

export const PAGE_ROWS = 50;
export const COUNTED_UP_TO = 10_000;
const FLUSH_MS = 25;
const FRESH_MS = 2_500;

type Pages = InfiniteData<SignalPage, string | null>;

function usePages(filters: Filters, key: string) {
  return useInfiniteQuery({
    queryKey: ['signals', key],
    queryFn: ({ pageParam, signal }) =>
      get(
        '/signals',
        {
          ...apiQuery(filters),
          limit: PAGE_ROWS,
          ...(pageParam === null ? { count: true } : { cursor: pageParam }),
        },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
    // The stream keeps the list current; what was left for another filter is read anew on return.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    ...patience,
  });
}

function sentAtOf(changes: readonly Change[], isShown: (signal: Signal) => boolean): number[] {
  const shown = changes.filter(
    ({ kind, signal }) => kind === 'created' && !isLate(signal) && isShown(signal),
  );
  return shown.map(({ signal }) => Date.parse(signal.ts));
}

interface Keyed {
  key: string;
  live: Live;
}

/** Changes of the stream over the list known as `key`. Another key begins with none. */
function useLive(key: string, filters: Filters, hold: boolean, listed: ReadonlySet<string>) {
  const [held, setHeld] = useState<Keyed>({ key, live: QUIET });
  const latest = useRef({ key, filters, hold, listed });
  useEffect(() => {
    latest.current = { key, filters, hold, listed };
  });

  const update = useCallback((change: (live: Live) => Live) => {
    setHeld((now) => {
      const wanted = latest.current.key;
      const before = now.key === wanted ? now.live : QUIET;
      const live = change(before);
      return live === before && now.key === wanted ? now : { key: wanted, live };
    });
  }, []);

  useEffect(() => {
    let buffer: Change[] = [];
    let timer: ReturnType<typeof setTimeout> | null = null;
    const flush = () => {
      timer = null;
      const changes = buffer;
      buffer = [];
      const { filters, hold, listed } = latest.current;
      const belongs = (signal: Signal) => matches(signal, filters);
      update((live) =>
        applyChanges(live, changes, { matches: belongs, hold, isListed: (id) => listed.has(id) }),
      );
      if (!hold) recordPainted(sentAtOf(changes, belongs));
    };
    const forget = listen({
      onChange: (change) => {
        buffer.push(change);
        timer ??= setTimeout(flush, FLUSH_MS);
      },
      onReset: () => {
        buffer = [];
        update(() => QUIET);
      },
    });
    return () => {
      forget();
      if (timer !== null) clearTimeout(timer);
    };
  }, [update]);

  return { live: held.key === key ? held.live : QUIET, update };
}

export type SignalList = ReturnType<typeof useSignals>;

export function useSignals(filters: Filters, hold: boolean) {
  const client = useQueryClient();
  const key = JSON.stringify(apiQuery(filters));
  const query = usePages(filters, key);
  const { data, isPlaceholderData, refetch } = query;
  const pages = useMemo(() => data?.pages.flatMap((page) => page.data) ?? [], [data]);
  const listed = useMemo(() => new Set(pages.map(idOf)), [pages]);
  const { live, update } = useLive(key, filters, hold, listed);

  const first = isPlaceholderData ? undefined : data?.pages[0];
  useEffect(() => {
    if (!first) return;
    update((before) => rebase(before, first.seq));
    stream.start(first.position);
  }, [first, update]);

  const refresh = useCallback(() => {
    client.setQueryData<Pages>(
      ['signals', key],
      (now) => now && { pages: now.pages.slice(0, 1), pageParams: now.pageParams.slice(0, 1) },
    );
    return refetch();
  }, [client, key, refetch]);

  useEffect(() => listen({ onChange: () => undefined, onReset: () => void refresh() }), [refresh]);

  useEffect(() => {
    if (hold) return;
    if (live.overflowed) void refresh();
    else update(release);
  }, [hold, live.overflowed, refresh, update]);

  useEffect(() => {
    if (live.fresh.size === 0) return;
    const timer = setTimeout(() => update(settle), FRESH_MS);
    return () => clearTimeout(timer);
  }, [live.fresh, update]);

  const deleted = useStore(deletedIds);
  const rows = useMemo(() => {
    const visible = visibleRows(pages, isPlaceholderData ? QUIET : live, query.hasNextPage);
    return deleted.size === 0 ? visible : visible.filter((signal) => !deleted.has(idOf(signal)));
  }, [pages, live, isPlaceholderData, query.hasNextPage, deleted]);
  const counted = data?.pages[0];
  const total = counted?.total === undefined ? null : counted.total + balanceOf(live) - live.waiting.size;
  return {
    query,
    rows,
    fresh: live.fresh,
    waiting: countWaiting(live),
    total: total === null ? null : Math.max(total, rows.length),
    totalIsMinimum: counted?.totalIsMinimum === true,
    /** The rows shown still belong to the filter before. */
    isChanging: isPlaceholderData,
    refresh,
    showWaiting: () => (live.overflowed ? void refresh() : update(release)),
  };
}
