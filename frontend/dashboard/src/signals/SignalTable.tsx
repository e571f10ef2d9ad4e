/** The list itself: windowed rows under a sticky head, or cards on a phone, and the pill for what waits. */
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties, type ReactNode } from 'react';
import { idOf, type Signal } from '../api/types.ts';
import { useTexts } from '../i18n/index.ts';
import { useActions, type Action } from '../lib/actions.ts';
import { decimalsOf } from '../lib/format.ts';
import { useHold } from '../lib/hooks.ts';
import { columnWidths } from '../lib/preferences.ts';
import { go, useAddress } from '../lib/router.ts';
import { Button, classOf } from '../ui/controls.tsx';
import { focusRow } from '../ui/panel.tsx';
import { COLUMNS, MAX_COLUMN_WIDTH, type Column, type Layout } from './columns.ts';
import { CardRow, openAddress, TableRow } from './SignalRow.tsx';
import type { SignalList } from './useSignals.ts';
import styles from './SignalTable.module.css';

const ROW_PX = 32;
const CARD_PX = 92;
const HEAD_PX = 30;
const FOOT_PX = 44;
/** Rows from the end at which the next page is asked for. */
const AHEAD = 20;

interface SignalTableProps {
  list: SignalList;
  layout: Layout;
  isPhone: boolean;
  openId: string | null;
  onHold: (hold: boolean) => void;
  setScroller: (element: HTMLDivElement | null) => void;
  /** Shown in place of the rows. */
  instead: ReactNode;
}

const columnOf = (id: string): Column | undefined => COLUMNS.find((column) => column.id === id);

function setWidth(id: string, width: number): void {
  const column = columnOf(id);
  if (!column) return;
  const next = Math.min(MAX_COLUMN_WIDTH, Math.max(column.min, Math.round(width)));
  columnWidths.set((widths) => ({ ...widths, [id]: next }));
}

/** Drag, or arrows when focused; a double click forgets the width. */
function Grip({ id, width, name }: { id: string; width: number; name: string }) {
  const t = useTexts();
  const start = useRef<{ x: number; width: number } | null>(null);
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t.columns.resize(name)}
      aria-valuenow={width}
      aria-valuemin={columnOf(id)?.min}
      aria-valuemax={MAX_COLUMN_WIDTH}
      tabIndex={0}
      className={styles.grip}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => {
        if (start.current) setWidth(id, start.current.width + event.clientX - start.current.x);
      }}
      onPointerUp={() => (start.current = null)}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -8, ArrowRight: 8 }[event.key];
        if (step !== undefined) setWidth(id, width + step);
      }}
      onDoubleClick={() =>
        columnWidths.set((widths) =>
          Object.fromEntries(Object.entries(widths).filter(([name]) => name !== id)),
        )
      }
    />
  );
}

function Head({ columns }: { columns: Layout['shown'] }) {
  const t = useTexts();
  return (
    <div role="row" aria-rowindex={1} className={styles.head}>
      {columns.map(({ id, width }) => (
        <div
          key={id}
          role="columnheader"
          aria-sort={id === 'ts' ? 'descending' : undefined}
          className={classOf(styles.headCell, columnOf(id)?.isPrice === true && styles.price)}
        >
          <span>{t.columns[id]}</span>
          {id === 'ts' && <ArrowDown size={11} aria-hidden />}
          <Grip id={id} width={width} name={t.columns[id]} />
        </div>
      ))}
    </div>
  );
}

export function SkeletonRows({ columns, isPhone }: { columns: Layout['shown']; isPhone: boolean }) {
  const height = isPhone ? CARD_PX : ROW_PX;
  return (
    <div aria-hidden>
      {Array.from({ length: 24 }, (_, at) => (
        <div
          key={at}
          className={isPhone ? styles.card : styles.row}
          style={{ transform: `translateY(${(isPhone ? 0 : HEAD_PX) + at * height}px)` }}
        >
          {(isPhone ? columns.slice(0, 3) : columns).map(({ id }) => (
            <div key={id} className={classOf(styles.cell, columnOf(id)?.isPrice === true && styles.price)}>
              <div className={styles.bone} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

function Pill({ list, onShow }: { list: SignalList; onShow: () => void }) {
  const t = useTexts();
  const { fresh, late } = list.waiting;
  if (fresh + late === 0) return null;
  return (
    <button
      type="button"
      className={styles.pill}
      data-late-only={fresh === 0}
      data-testid="pill"
      onClick={onShow}
    >
      <ArrowUp size={14} aria-hidden />
      {t.signals.news(fresh, late)}
    </button>
  );
}

/** J and K walk the links of the rows; with the panel open they also change what it shows. */
function useWalk(
  rows: readonly Signal[],
  openId: string | null,
  address: string,
  virtualizer: Virtualizer<HTMLDivElement, Element>,
  showWaiting: () => void,
) {
  const at = useRef<string | null>(null);
  const latest = useRef({ rows, openId, address, virtualizer });
  useEffect(() => {
    latest.current = { rows, openId, address, virtualizer };
  });
  const t = useTexts();

  const walk = useCallback((step: 1 | -1) => {
    const now = latest.current;
    const from = now.rows.findIndex((signal) => idOf(signal) === (now.openId ?? at.current));
    const index = from < 0 ? 0 : Math.min(now.rows.length - 1, Math.max(0, from + step));
    const next = now.rows[index];
    if (!next) return;
    const id = idOf(next);
    at.current = id;
    now.virtualizer.scrollToIndex(index, { align: 'auto' });
    if (now.openId !== null) go(openAddress(now.address, id), 'replace');
    // Twice: a row that was outside of the window is painted one frame after the scroll.
    requestAnimationFrame(() => requestAnimationFrame(() => focusRow(id)));
  }, []);

  const offered = useMemo<Action[]>(
    () => [
      { id: 'next', title: t.keys.next, group: 'action', keys: ['j'], run: () => walk(1) },
      { id: 'previous', title: t.keys.previous, group: 'action', keys: ['k'], run: () => walk(-1) },
      { id: 'show-new', title: t.keys.top, group: 'action', keys: ['n'], run: showWaiting },
    ],
    [t, walk, showWaiting],
  );
  useActions(offered);
  return useCallback((id: string) => void (at.current = id), []);
}

function widestDecimals(rows: readonly Signal[]): number {
  let most = 2;
  for (const { buy_min, buy_max, target_1, target_2, target_final, stop } of rows)
    for (const price of [buy_min, buy_max, target_1, target_2, target_final, stop])
      if (price !== null) most = Math.max(most, decimalsOf(price));
  return most;
}

function Foot({ list, top }: { list: SignalList; top: number }) {
  const t = useTexts();
  const { isFetchingNextPage, isFetchNextPageError, hasNextPage, fetchNextPage } = list.query;
  if (list.rows.length === 0) return null;
  return (
    <div className={styles.foot} style={{ top }}>
      {isFetchNextPageError && !isFetchingNextPage ? (
        <>
          {t.signals.moreFailed}
          <Button onClick={() => void fetchNextPage()}>{t.retry}</Button>
        </>
      ) : (
        (isFetchingNextPage && t.signals.loadingMore) || (!hasNextPage && t.signals.end)
      )}
    </div>
  );
}

/** Asks for the next page before the reader reaches the end of this one. */
function useNextPage({ query, rows, isChanging }: SignalList, lastIndex: number): void {
  const { hasNextPage, isFetching, isFetchNextPageError, fetchNextPage } = query;
  const isNear = rows.length > 0 && lastIndex >= rows.length - AHEAD;
  useEffect(() => {
    if (isNear && hasNextPage && !isFetching && !isFetchNextPageError && !isChanging) void fetchNextPage();
  }, [isNear, hasNextPage, isFetching, isFetchNextPageError, isChanging, fetchNextPage]);
}

export function SignalTable({
  list,
  layout,
  isPhone,
  openId,
  onHold,
  setScroller,
  instead,
}: SignalTableProps) {
  const t = useTexts();
  const address = useAddress();
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  const { rows, query } = list;
  const headPx = isPhone ? 0 : HEAD_PX;
  const rowPx = isPhone ? CARD_PX : ROW_PX;
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing of it is memoised below
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => element,
    estimateSize: () => rowPx,
    getItemKey: (at) => idOf(rows[at] ?? { id: at }),
    paddingStart: headPx,
    scrollPaddingStart: headPx,
    overscan: 10,
  });
  const items = virtualizer.getVirtualItems();
  useEffect(() => virtualizer.measure(), [virtualizer, rowPx]);
  useNextPage(list, items.at(-1)?.index ?? 0);

  const hold = useHold(onHold);
  const { showWaiting } = list;
  const showNew = useCallback(() => {
    element?.scrollTo({ top: 0 });
    showWaiting();
  }, [element, showWaiting]);
  const onFocus = useWalk(rows, openId, address, virtualizer, showNew);
  const decimals = useMemo(() => widestDecimals(rows), [rows]);
  const columns = layout.shown.map(({ width }) => `${width}px`).join(' ');
  const Row = isPhone ? CardRow : TableRow;

  return (
    <div className={styles.frame}>
      <Pill list={list} onShow={showNew} />
      {query.isFetching && !query.isFetchingNextPage && rows.length > 0 && (
        <div className={styles.progress} />
      )}
      <div
        ref={(node) => {
          setElement(node);
          setScroller(node);
        }}
        className={styles.scroller}
        data-changing={list.isChanging}
        data-testid="scroller"
        tabIndex={-1}
        {...hold}
      >
        <div
          role={isPhone ? 'list' : 'table'}
          aria-label={t.signals.tableLabel}
          aria-rowcount={isPhone ? undefined : (list.total ?? rows.length) + 1}
          aria-busy={query.isFetching}
          className={styles.table}
          style={
            {
              '--columns': columns,
              height: instead === null ? virtualizer.getTotalSize() + FOOT_PX : '100%',
            } as CSSProperties
          }
        >
          {!isPhone && <Head columns={layout.shown} />}
          {instead ??
            items.map(({ index, key, start }) => {
              const signal = rows[index];
              if (!signal) return null;
              const id = idOf(signal);
              return (
                <Row
                  key={key}
                  signal={signal}
                  address={address}
                  top={start}
                  index={index}
                  isOpen={id === openId}
                  isFresh={list.fresh.has(id)}
                  onFocus={onFocus}
                  columns={layout.shown}
                  decimals={decimals}
                />
              );
            })}
          {instead === null && <Foot list={list} top={virtualizer.getTotalSize()} />}
        </div>
      </div>
    </div>
  );
}
