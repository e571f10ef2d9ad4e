/** Estatísticas: how many signals, by day, channel and asset, under the filters of the list. Every number leads to its rows. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { BarChart3, RotateCcw } from 'lucide-react';
import { useEffect, useMemo, type ReactNode } from 'react';
import { ApiError, get } from '../api/client.ts';
import type { Counts, Statistics } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { formatCount, formatDate, formatShare, MISSING } from '../lib/format.ts';
import { PHONE, useMedia } from '../lib/hooks.ts';
import type { Language } from '../lib/preferences.ts';
import { followInPage, go } from '../lib/router.ts';
import { listen } from '../live/hub.ts';
import { patience } from '../live/patience.ts';
import { REPARSE_PATH } from '../shell/pages.ts';
import { clearFilters, FilterBar } from '../signals/FilterBar.tsx';
import { apiQuery, filtersOf, isFiltered, type Filters } from '../signals/filters.ts';
import { ButtonLink } from '../ui/controls.tsx';
import { BigState, Boundary } from '../ui/notice.tsx';
import { Failed, Foot, NoMatch, pageStyles, StaleReading, useInstead, usePageTitle } from '../ui/page.tsx';
import { Moment, SkeletonTable, Table, tableStyles, useRowWalk, type Column } from '../ui/table.tsx';
import { DayChart } from './DayChart.tsx';
import { byChannel, channelKey, completeShare, listAddress, type ChannelCounts } from './days.ts';
import styles from './StatisticsPage.module.css';

const EVERY_MS = 30_000;

function useStatistics(filters: Filters) {
  const reading = useQuery({
    queryKey: ['statistics', filters],
    queryFn: ({ signal }) => get('/signals/statistics', apiQuery(filters), signal),
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
    ...patience,
  });
  const { refetch } = reading;
  // Many rows have changed at once (an import, a new reading): that is not left to the clock.
  useEffect(() => listen({ onChange: () => undefined, onReset: () => void refetch() }), [refetch]);
  return reading;
}

interface NumbersProps {
  of: Counts;
  /** The largest of the column, for the bar behind the number. */
  most: number;
}

function Bar({ of: { buy, sell, signals }, most }: NumbersProps) {
  const language = useLanguage();
  const share = (value: number) => `${(value / Math.max(1, most)) * 100}%`;
  return (
    <span className={styles.bar}>
      <span aria-hidden>
        <i data-side="BUY" style={{ width: share(buy) }} />
        <i data-side="SELL" style={{ width: share(sell) }} />
      </span>
      <strong>{formatCount(signals, language)}</strong>
    </span>
  );
}

function countColumns<Row extends Counts>(
  rows: readonly Row[],
  t: Catalogue,
  language: Language,
  isSorted: boolean,
): Column<Row>[] {
  const words = t.statistics.columns;
  const most = Math.max(0, ...rows.map(({ signals }) => signals));
  const number = (value: number) =>
    value === 0 ? <span className={tableStyles.missing}>0</span> : formatCount(value, language);
  return [
    {
      id: 'signals',
      head: words.signals,
      width: '26%',
      kind: 'number',
      ...(isSorted && { sorted: 'descending' as const }),
      cell: (row) => <Bar of={row} most={most} />,
    },
    {
      id: 'buy',
      head: `▲ ${words.buy}`,
      width: '84px',
      kind: 'number',
      cell: ({ buy }) => <span className={styles.buy}>{number(buy)}</span>,
    },
    {
      id: 'sell',
      head: `▼ ${words.sell}`,
      width: '76px',
      kind: 'number',
      cell: ({ sell }) => <span className={styles.sell}>{number(sell)}</span>,
    },
    {
      id: 'complete',
      head: words.complete,
      width: '100px',
      kind: 'number',
      isExtra: true,
      cell: (row) => {
        const share = completeShare(row);
        return share === null ? (
          <span className={tableStyles.missing}>{MISSING}</span>
        ) : (
          formatShare(share, language)
        );
      },
    },
    {
      id: 'messages',
      head: words.messages,
      width: '104px',
      kind: 'number',
      isExtra: true,
      cell: ({ messages }) => <span className={tableStyles.soft}>{number(messages)}</span>,
    },
  ];
}

function ListLink({ href, id, children }: { href: string; id: string; children: ReactNode }) {
  return (
    <a className={tableStyles.link} href={href} data-row-link={id} onClick={followInPage}>
      {children}
    </a>
  );
}

interface PartProps {
  data: Statistics;
  filters: Filters;
}

function Channels({ data, filters }: PartProps) {
  const t = useTexts();
  const language = useLanguage();
  const channels = useMemo(() => byChannel(data.channels), [data.channels]);
  const columns: Column<ChannelCounts>[] = [
    {
      id: 'channel',
      head: t.statistics.columns.channel,
      cell: (entry) => (
        <ListLink
          id={`channel-${channelKey(entry)}`}
          href={listAddress(filters, data, { channel: channelKey(entry) })}
        >
          {entry.channel}
        </ListLink>
      ),
    },
    ...countColumns(channels, t, language, true),
    {
      id: 'last',
      head: t.statistics.columns.last,
      width: '120px',
      kind: 'number',
      isExtra: true,
      cell: ({ last_ts: last }) => <Moment time={last} />,
    },
  ];
  return (
    <Table
      label={t.statistics.byChannel}
      columns={columns}
      rows={channels}
      keyOf={channelKey}
      isPhone={false}
    />
  );
}

function Assets({ data, filters }: PartProps) {
  const t = useTexts();
  const language = useLanguage();
  const columns: Column<Statistics['assets'][number]>[] = [
    {
      id: 'asset',
      head: t.statistics.columns.asset,
      cell: ({ asset }) => (
        <ListLink id={`asset-${asset}`} href={listAddress(filters, data, { asset })}>
          {asset}
        </ListLink>
      ),
    },
    ...countColumns(data.assets, t, language, true),
  ];
  return (
    <Table
      label={t.statistics.byAsset}
      columns={columns}
      rows={data.assets}
      keyOf={({ asset }) => asset}
      isPhone={false}
    />
  );
}

function Days({ data, filters }: PartProps) {
  const t = useTexts();
  const language = useLanguage();
  const days = useMemo(() => [...data.days].reverse(), [data.days]);
  const columns: Column<Statistics['days'][number]>[] = [
    {
      id: 'day',
      head: t.statistics.columns.day,
      sorted: 'descending',
      cell: ({ day }) => (
        <ListLink id={`day-${day}`} href={listAddress(filters, data, { from: day, to: day })}>
          {formatDate(`${day}T15:00:00Z`, language)}
        </ListLink>
      ),
    },
    ...countColumns(days, t, language, false),
  ];
  return (
    <Table
      label={t.statistics.dayTable}
      columns={columns}
      rows={days}
      keyOf={({ day }) => day}
      isPhone={false}
    />
  );
}

function Summary({ data, filters }: PartProps) {
  const t = useTexts();
  const language = useLanguage();
  const { total } = data;
  const share = completeShare(total);
  const day = (time: string) => formatDate(time, language);
  return (
    <div className={styles.summary} title={filters.from === null ? t.statistics.noPeriod : undefined}>
      <h2>{t.statistics.byDay}</h2>
      <span>{t.statistics.range(day(data.from), day(data.to))}</span>
      <strong data-testid="total">{t.overview.signals(total.signals)}</strong>
      <span className={styles.buy}>▲ {t.overview.buys(total.buy)}</span>
      <span className={styles.sell}>▼ {t.overview.sells(total.sell)}</span>
      {share !== null && <span>{t.statistics.complete(formatShare(share, language))}</span>}
      <span>{t.statistics.messages(total.messages)}</span>
      <ButtonLink look="bare" href={REPARSE_PATH} onClick={followInPage} className={styles.push}>
        <RotateCcw size={14} aria-hidden />
        {t.nav.reparse}
      </ButtonLink>
    </div>
  );
}

function Content({ data, filters }: PartProps) {
  const t = useTexts();
  return (
    <div className={styles.content}>
      <section className={styles.chart} aria-label={t.statistics.byDay}>
        <Summary data={data} filters={filters} />
        <Boundary>
          <DayChart
            days={data.days}
            onOpen={({ day }) => go(listAddress(filters, data, { from: day, to: day }))}
          />
        </Boundary>
      </section>
      <div className={styles.tables}>
        <section>
          <h2>{t.statistics.byChannel}</h2>
          <Channels data={data} filters={filters} />
        </section>
        <section>
          <h2>{t.statistics.byAsset}</h2>
          <Assets data={data} filters={filters} />
        </section>
        <section className={styles.days}>
          <h2>{t.statistics.dayTable}</h2>
          <Days data={data} filters={filters} />
        </section>
      </div>
      {data.truncated && <p className={pageStyles.more}>{t.statistics.truncated}</p>}
    </div>
  );
}

const isTooLong = (error: Error) =>
  error instanceof ApiError && error.kind === 'refused' && error.message === 'Invalid parameter: from';

export function StatisticsPage({ query }: { query: URLSearchParams }) {
  const t = useTexts();
  const isPhone = useMedia(PHONE);
  const address = query.toString();
  const filters = useMemo(() => filtersOf(new URLSearchParams(address)), [address]);
  const reading = useStatistics(filters);
  const { data, isPlaceholderData, failureReason } = reading;
  usePageTitle(t.nav.statistics);
  useRowWalk();

  const instead = useInstead({
    reading,
    hasRows: data !== undefined && data.total.messages > 0 && !(isPlaceholderData && failureReason !== null),
    isChanging: isPlaceholderData,
    isFiltered: isFiltered(filters),
    skeleton: <SkeletonTable columns={4} isPhone={isPhone} />,
    failed: (error, retry) => (
      <Failed
        title={t.statistics.errorTitle}
        error={error}
        retry={retry}
        {...(isTooLong(error) && { text: t.statistics.tooLong })}
      />
    ),
    noMatch: <NoMatch title={t.statistics.noMatchTitle} text={t.states.noMatchText} onClear={clearFilters} />,
    empty: (
      <BigState
        icon={<BarChart3 size={28} aria-hidden />}
        title={t.statistics.emptyTitle}
        text={t.statistics.emptyText}
      />
    ),
  });

  return (
    <div className={pageStyles.page}>
      <StaleReading reading={reading} />
      <FilterBar filters={filters} otherView="list" />
      <div className={pageStyles.split}>
        <div
          className={pageStyles.scroll}
          data-changing={isPlaceholderData}
          aria-busy={reading.isFetching}
          tabIndex={-1}
        >
          {instead ?? (data && <Content data={data} filters={filters} />)}
        </div>
      </div>
      <Foot shown={data && t.overview.signals(data.total.signals)}>
        <span className={styles.push}>{data?.timezone}</span>
      </Foot>
    </div>
  );
}
