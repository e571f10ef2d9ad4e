import { CircleAlert, Inbox, PanelTopClose, PanelTopOpen, SearchX, TriangleAlert } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { ApiError } from '../api/client.ts';
import { idOf } from '../api/types.ts';
import { texts, useLanguage, useTexts } from '../i18n/index.ts';
import { runAction, useActions, type Action } from '../lib/actions.ts';
import { announce } from '../lib/announce.ts';
import { formatClock, formatCount } from '../lib/format.ts';
import { NARROW, PHONE, useLasting, useMedia, useNow, useWidth } from '../lib/hooks.ts';
import { columnsShown, columnWidths, overviewOpen } from '../lib/preferences.ts';
import { setQuery } from '../lib/router.ts';
import { useStore } from '../lib/store.ts';
import { useGatewayHealth } from '../live/health.ts';
import { listen, stream } from '../live/hub.ts';
import type { Connection } from '../live/stream.ts';
import { useChannels } from '../shell/Sidebar.tsx';
import { Button } from '../ui/controls.tsx';
import { BigState, Boundary } from '../ui/notice.tsx';
import { layOut } from './columns.ts';
import { isLate } from './delay.ts';
import { demoRows } from './demo.ts';
import { DetailPanel } from './DetailPanel.tsx';
import { errorText } from './errors.ts';
import { exportSignals } from './exporting.ts';
import { clearFilters, FilterBar } from './FilterBar.tsx';
import { filtersOf, isFiltered, type Filters } from './filters.ts';
import { Overview } from './Overview.tsx';
import { sideText } from './Side.tsx';
import { SignalTable, SkeletonRows } from './SignalTable.tsx';
import { COUNTED_UP_TO, useSignals, type SignalList } from './useSignals.ts';
import styles from './SignalsPage.module.css';

const SKELETON_AFTER_MS = 150;
const RETRY_MS = 1_000;

function lostAtOf(connection: Connection): number | null {
  return connection.state === 'waiting' || connection.state === 'offline' ? connection.lostAt : null;
}

/** What is on the screen may be old: since when, why, and when the page tries again. */
function StaleBar({ list }: { list: SignalList }) {
  const t = useTexts();
  const language = useLanguage();
  const connection = useStore(stream.connection);
  const now = useNow(RETRY_MS);
  const { query, rows } = list;
  const lostAt =
    lostAtOf(connection) ?? (query.failureReason && rows.length > 0 ? query.dataUpdatedAt : null);
  if (lostAt === null || (rows.length === 0 && query.failureReason)) return null;
  const nextAt = 'nextAt' in connection ? connection.nextAt : null;
  const seconds = nextAt === null ? 0 : Math.max(0, Math.ceil((nextAt - now) / 1000));
  return (
    <div className={styles.stale} role="status" data-testid="stale">
      <TriangleAlert size={16} aria-hidden />
      <strong>{t.connection.staleSince(formatClock(lostAt, language))}</strong>
      <span>{connection.state === 'offline' ? t.connection.offlineWhy : t.connection.staleWhy}</span>
      <span aria-hidden>{seconds > 0 ? t.connection.waitingFor(seconds) : t.connection.retrying}</span>
      <Button
        onClick={() => {
          stream.retryNow();
          if (query.failureReason) void list.refresh();
        }}
      >
        {t.retryNow}
      </Button>
    </div>
  );
}

function Empty() {
  const t = useTexts();
  const gateway = useGatewayHealth().data;
  const channels = gateway?.channels ?? 0;
  const isOn = gateway?.telegram_connected === true;
  const on = channels > 0 ? t.states.emptyListening(channels) : t.states.emptyConnected;
  const text = gateway === undefined ? t.states.emptyUnknown : isOn ? on : t.states.emptyWaiting;
  return <BigState icon={<Inbox size={28} aria-hidden />} title={t.states.emptyTitle} text={text} />;
}

function Failed({ error, retry }: { error: Error; retry: () => void }) {
  const t = useTexts();
  return (
    <BigState
      icon={<CircleAlert size={28} aria-hidden />}
      title={t.states.errorTitle}
      text={errorText(error, t)}
      {...(error instanceof ApiError && { small: t.requestId(error.requestId) })}
      action={{ label: t.retry, run: retry }}
    />
  );
}

function NoMatch() {
  const t = useTexts();
  return (
    <BigState
      icon={<SearchX size={28} aria-hidden />}
      title={t.states.noMatchTitle}
      text={t.states.noMatchText}
      action={{ label: t.filters.clear, run: clearFilters }}
    />
  );
}

/** What stands in place of rows when there are none. */
function useInstead(list: SignalList, filters: Filters, skeleton: ReactNode): ReactNode {
  const { query, rows } = list;
  const isLong = useLasting(query.isPending, SKELETON_AFTER_MS);
  if (rows.length > 0) return null;
  if (query.failureReason) return <Failed error={query.failureReason} retry={() => void query.refetch()} />;
  if (query.isPending || list.isChanging) return isLong ? skeleton : <span />;
  return isFiltered(filters) ? <NoMatch /> : <Empty />;
}

function Foot({ list }: { list: SignalList }) {
  const t = useTexts();
  const language = useLanguage();
  const isOpen = useStore(overviewOpen);
  const { total, totalIsMinimum, rows } = list;
  const name = (count: number) => formatCount(count, language);
  const all = totalIsMinimum ? t.signals.moreThan(name(COUNTED_UP_TO)) : name(total ?? rows.length);
  const Icon = isOpen ? PanelTopClose : PanelTopOpen;
  return (
    <footer className={styles.foot}>
      <span data-testid="showing">{total !== null && t.signals.showing(name(rows.length), all)}</span>
      <Button look="bare" aria-expanded={isOpen} onClick={() => overviewOpen.set((open) => !open)}>
        <Icon size={14} aria-hidden />
        {isOpen ? t.overview.hide : t.overview.show}
      </Button>
    </footer>
  );
}

function focusSearch(): void {
  const field = document.getElementById('search');
  if (field instanceof HTMLInputElement) {
    field.focus();
    field.select();
  }
}

function usePageActions(filters: Filters, refresh: () => void): void {
  const t = useTexts();
  const offered = useMemo<Action[]>(
    () => [
      { id: 'search', title: t.palette.focusSearch, group: 'action', keys: ['/'], run: focusSearch },
      { id: 'clear', title: t.filters.clear, group: 'action', run: clearFilters },
      { id: 'refresh', title: t.palette.refresh, group: 'action', run: refresh },
      {
        id: 'overview',
        title: t.palette.toggleOverview,
        group: 'action',
        run: () => overviewOpen.set((open) => !open),
      },
      {
        id: 'csv',
        title: `${t.export.label}: ${t.export.csv}`,
        group: 'action',
        run: () => void exportSignals(filters, 'csv'),
      },
      {
        id: 'json',
        title: `${t.export.label}: ${t.export.json}`,
        group: 'action',
        run: () => void exportSignals(filters, 'json'),
      },
    ],
    [t, filters, refresh],
  );
  useActions(offered);
}

/** Says new signals to those who hear the page, several at once as one sentence. */
function useAnnouncements(): void {
  useEffect(() => {
    let count = 0;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let latest = '';
    const say = () => {
      timer = null;
      announce(texts().signals.announced(count, latest));
      count = 0;
    };
    const forget = listen({
      onChange: ({ kind, signal }) => {
        if (kind !== 'created' || signal.signal_type === 'UNKNOWN' || isLate(signal)) return;
        count += 1;
        latest = `${sideText(signal.signal_type, texts())} ${signal.asset ?? ''}`;
        timer ??= setTimeout(say, 1_000);
      },
      onReset: () => undefined,
    });
    return () => {
      forget();
      if (timer !== null) clearTimeout(timer);
    };
  }, []);
}

function useTitle(list: SignalList): void {
  const t = useTexts();
  const { fresh, late } = list.waiting;
  const waiting = fresh + late;
  useEffect(() => {
    const title = `${t.signals.title} · ${t.appName}`;
    document.title = waiting > 0 ? `(${waiting}) ${title}` : title;
  }, [t, waiting]);
}

/** Closes the panel and gives the focus back to the row it was opened from. */
function closePanel(id: string): void {
  setQuery({ signal: null });
  requestAnimationFrame(() =>
    document
      .querySelector<HTMLElement>(`[data-signal-link="${CSS.escape(id)}"]`)
      ?.focus({ preventScroll: true }),
  );
}

function useEscape(openId: string | null): void {
  useEffect(() => {
    if (openId === null) return;
    const onKeyDown = (event: KeyboardEvent) => {
      const isElsewhere = document.querySelector('[role="dialog"], [role="menu"]') !== null;
      const isField = event.target instanceof HTMLInputElement;
      if (event.key === 'Escape' && !event.defaultPrevented && !isElsewhere && !isField) closePanel(openId);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [openId]);
}

function useDemoMark(list: SignalList): void {
  const hasDemo = useMemo(() => list.rows.some(({ source }) => source === 'replay'), [list.rows]);
  useEffect(() => demoRows.set(hasDemo), [hasDemo]);
}

/** A stream that came back also says so to those who do not see the badge. */
function useReconnectedWord(): void {
  const connection = useStore(stream.connection);
  const isBack = connection.state === 'live' && connection.isBack;
  const wasBack = useRef(false);
  useEffect(() => {
    if (isBack && !wasBack.current) announce(texts().connection.back);
    wasBack.current = isBack;
  }, [isBack]);
}

export function SignalsPage({ query }: { query: URLSearchParams }) {
  const address = query.toString();
  const filters = useMemo(() => filtersOf(new URLSearchParams(address)), [address]);
  const openId = query.get('signal');
  const [hold, setHold] = useState(false);
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  const isPhone = useMedia(PHONE);
  const isNarrow = useMedia(NARROW);
  const room = useWidth(scroller);
  const widths = useStore(columnWidths);
  const wanted = useStore(columnsShown);
  const layout = useMemo(() => layOut(room, widths, wanted), [room, widths, wanted]);
  const isOverviewOpen = useStore(overviewOpen);
  useChannels();

  const list = useSignals(filters, hold);
  const { refresh } = list;
  const reload = useCallback(() => void refresh(), [refresh]);
  usePageActions(filters, reload);
  useAnnouncements();
  useReconnectedWord();
  useTitle(list);
  useEscape(openId);
  useDemoMark(list);
  const instead = useInstead(list, filters, <SkeletonRows columns={layout.shown} isPhone={isPhone} />);

  return (
    <div className={styles.page}>
      <StaleBar list={list} />
      {isOverviewOpen && !isPhone && (
        <Boundary>
          <Overview />
        </Boundary>
      )}
      <FilterBar filters={filters} layout={layout} isPhone={isPhone} />
      <div className={styles.split}>
        <Boundary>
          <SignalTable
            list={list}
            layout={layout}
            isPhone={isPhone}
            openId={openId}
            onHold={setHold}
            setScroller={setScroller}
            instead={instead}
          />
        </Boundary>
        {openId !== null && (
          <Boundary>
            <DetailPanel
              id={openId}
              row={list.rows.find((signal) => idOf(signal) === openId)}
              isOver={isNarrow}
              onClose={() => closePanel(openId)}
              onStep={(step) => runAction(step === 1 ? 'next' : 'previous')}
            />
          </Boundary>
        )}
      </div>
      <Foot list={list} />
    </div>
  );
}
