import { Inbox, PanelTopClose, PanelTopOpen } from 'lucide-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { idOf } from '../api/types.ts';
import { texts, useLanguage, useTexts } from '../i18n/index.ts';
import { useActions, type Action } from '../lib/actions.ts';
import { announce } from '../lib/announce.ts';
import { formatCount } from '../lib/format.ts';
import { PHONE, useMedia, useNow, useWidth } from '../lib/hooks.ts';
import { columnsShown, columnWidths, overviewOpen } from '../lib/preferences.ts';
import { useStore } from '../lib/store.ts';
import { useGatewayHealth } from '../live/health.ts';
import { listen, stream } from '../live/hub.ts';
import type { Connection } from '../live/stream.ts';
import { useChannels } from '../shell/Sidebar.tsx';
import { Button } from '../ui/controls.tsx';
import { BigState, Boundary } from '../ui/notice.tsx';
import { Failed, Foot, NoMatch, pageStyles, StaleBar, useInstead } from '../ui/page.tsx';
import { layOut } from './columns.ts';
import { isLate } from './delay.ts';
import { demoRows } from './demo.ts';
import { DetailPanel } from './DetailPanel.tsx';
import { clearFilters, ColumnsMenu, FilterBar } from './FilterBar.tsx';
import { filtersOf, isFiltered } from './filters.ts';
import { Overview } from './Overview.tsx';
import { sideText } from './Side.tsx';
import { SignalTable, SkeletonRows } from './SignalTable.tsx';
import { COUNTED_UP_TO, useSignals, type SignalList } from './useSignals.ts';

const RETRY_MS = 1_000;

function lostAtOf(connection: Connection): number | null {
  return connection.state === 'waiting' || connection.state === 'offline' ? connection.lostAt : null;
}

/** What is on the screen may be old: since when, why, and when the page tries again. */
function Stale({ list }: { list: SignalList }) {
  const t = useTexts();
  const connection = useStore(stream.connection);
  const now = useNow(RETRY_MS);
  const { query, rows } = list;
  const lostAt =
    lostAtOf(connection) ?? (query.failureReason && rows.length > 0 ? query.dataUpdatedAt : null);
  if (lostAt === null || (rows.length === 0 && query.failureReason)) return null;
  const nextAt = 'nextAt' in connection ? connection.nextAt : null;
  const seconds = nextAt === null ? 0 : Math.max(0, Math.ceil((nextAt - now) / 1000));
  return (
    <StaleBar
      since={lostAt}
      why={connection.state === 'offline' ? t.connection.offlineWhy : t.connection.staleWhy}
      next={seconds > 0 ? t.connection.waitingFor(seconds) : t.connection.retrying}
      onRetry={() => {
        stream.retryNow();
        if (query.failureReason) void list.refresh();
      }}
    />
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

function ListFoot({ list }: { list: SignalList }) {
  const t = useTexts();
  const language = useLanguage();
  const isOpen = useStore(overviewOpen);
  const { total, totalIsMinimum, rows } = list;
  const name = (count: number) => formatCount(count, language);
  const all = totalIsMinimum ? t.signals.moreThan(name(COUNTED_UP_TO)) : name(total ?? rows.length);
  const Icon = isOpen ? PanelTopClose : PanelTopOpen;
  return (
    <Foot shown={total !== null && t.showing(name(rows.length), all)}>
      <Button look="bare" aria-expanded={isOpen} onClick={() => overviewOpen.set((open) => !open)}>
        <Icon size={14} aria-hidden />
        {isOpen ? t.overview.hide : t.overview.show}
      </Button>
    </Foot>
  );
}

function usePageActions(refresh: () => void): void {
  const t = useTexts();
  const offered = useMemo<Action[]>(
    () => [
      { id: 'refresh', title: t.palette.refresh, group: 'action', run: refresh },
      {
        id: 'overview',
        title: t.palette.toggleOverview,
        group: 'action',
        run: () => overviewOpen.set((open) => !open),
      },
    ],
    [t, refresh],
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

function useDemoMark(list: SignalList): void {
  const hasDemo = useMemo(() => list.rows.some(({ source }) => source === 'replay'), [list.rows]);
  useEffect(() => demoRows.set(hasDemo), [hasDemo]);
}

export function SignalsPage({ query }: { query: URLSearchParams }) {
  const address = query.toString();
  const filters = useMemo(() => filtersOf(new URLSearchParams(address)), [address]);
  const openId = query.get('signal');
  const [hold, setHold] = useState(false);
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  const isPhone = useMedia(PHONE);
  const room = useWidth(scroller);
  const widths = useStore(columnWidths);
  const wanted = useStore(columnsShown);
  const layout = useMemo(() => layOut(room, widths, wanted), [room, widths, wanted]);
  const isOverviewOpen = useStore(overviewOpen);
  useChannels();

  const list = useSignals(filters, hold);
  const { refresh } = list;
  const reload = useCallback(() => void refresh(), [refresh]);
  usePageActions(reload);
  useAnnouncements();
  useTitle(list);
  useDemoMark(list);
  const t = useTexts();
  const instead = useInstead({
    reading: list.query,
    hasRows: list.rows.length > 0,
    isChanging: list.isChanging,
    isFiltered: isFiltered(filters),
    skeleton: <SkeletonRows columns={layout.shown} isPhone={isPhone} />,
    failed: (error, retry) => <Failed title={t.states.errorTitle} error={error} retry={retry} />,
    noMatch: <NoMatch title={t.states.noMatchTitle} text={t.states.noMatchText} onClear={clearFilters} />,
    empty: <Empty />,
  });

  return (
    <div className={pageStyles.page}>
      <Stale list={list} />
      {isOverviewOpen && !isPhone && (
        <Boundary>
          <Overview />
        </Boundary>
      )}
      <FilterBar filters={filters} otherView="statistics">
        {!isPhone && <ColumnsMenu layout={layout} />}
      </FilterBar>
      <div className={pageStyles.split}>
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
            <DetailPanel id={openId} row={list.rows.find((signal) => idOf(signal) === openId)} />
          </Boundary>
        )}
      </div>
      <ListFoot list={list} />
    </div>
  );
}
