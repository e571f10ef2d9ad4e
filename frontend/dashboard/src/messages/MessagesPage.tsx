/** Mensagens: what was passed on from source channels to destinations. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { ExternalLink, Image as ImageIcon, MessagesSquare } from 'lucide-react';
import { useMemo, useState } from 'react';
import { get } from '../api/client.ts';
import type { ForwardedMessage } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { useActions, type Action } from '../lib/actions.ts';
import { formatClockSeconds, formatCount, formatDayMonth } from '../lib/format.ts';
import { PHONE, useHold, useMedia } from '../lib/hooks.ts';
import type { Language } from '../lib/preferences.ts';
import { setQuery } from '../lib/router.ts';
import { patience } from '../live/patience.ts';
import { ChannelMenu } from '../signals/FilterBar.tsx';
import { Button } from '../ui/controls.tsx';
import { ChoiceMenu, FilterRow, focusSearch, Period, SearchField, Segments } from '../ui/filters.tsx';
import { BigState, Boundary } from '../ui/notice.tsx';
import { Failed, Foot, NoMatch, pageStyles, StaleReading, useInstead, usePageTitle } from '../ui/page.tsx';
import { RowLink, SkeletonTable, Table, tableStyles, useRowWalk, type Column } from '../ui/table.tsx';
import {
  DEFAULT_SIZE,
  isFiltered,
  messageAddress,
  messageFiltersOf,
  messageQuery,
  NO_FILTERS,
  PAGE_SIZES,
  pageSizeOf,
  telegramAddress,
  type MessageFilters,
  type PageSize,
} from './filters.ts';
import { MessagePanel } from './MessagePanel.tsx';

const EVERY_MS = 15_000;
const PARAM = 'message';

const keyOf = ({ id }: ForwardedMessage) => String(id);

function useMessages(filters: MessageFilters, size: PageSize, hold: boolean) {
  return useInfiniteQuery({
    queryKey: ['messages', filters, size],
    queryFn: ({ pageParam, signal }) =>
      get(
        '/forwarded-messages',
        { ...messageQuery(filters), limit: size, ...(pageParam !== null && { cursor: pageParam }) },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
    // Who reads further down, or points at a row, is not moved; the first page alone is cheap to read again.
    refetchInterval: ({ state }) => (hold || (state.data?.pages.length ?? 0) > 1 ? false : EVERY_MS),
    ...patience,
  });
}

const change = (filters: MessageFilters, part: Partial<MessageFilters>, how?: 'replace') =>
  setQuery(messageAddress({ ...filters, ...part }), how);

const clear = () => setQuery(messageAddress(NO_FILTERS));

function MessageFilterRow({ filters, size }: { filters: MessageFilters; size: PageSize }) {
  const t = useTexts();
  const language = useLanguage();
  return (
    <FilterRow
      onClear={isFiltered(filters) ? clear : undefined}
      aside={
        <ChoiceMenu
          value={String(size)}
          shown={`${t.rowsAPage}: ${formatCount(size, language)}`}
          choices={PAGE_SIZES.map((each) => ({ value: String(each), label: formatCount(each, language) }))}
          onChange={(rows) => setQuery({ rows: rows === String(DEFAULT_SIZE) ? null : rows })}
        />
      }
    >
      <SearchField
        label={t.messages.search}
        value={filters.search}
        onChange={(search) => change(filters, { search }, 'replace')}
      />
      <Segments
        label={t.messages.media}
        value={filters.media}
        onChange={(media) => change(filters, { media })}
        choices={[
          { value: null, label: t.messages.anyMedia },
          { value: 'with', label: t.messages.withMedia },
          { value: 'without', label: t.messages.withoutMedia },
        ]}
      />
      <Segments
        label={t.messages.method}
        value={filters.method}
        onChange={(method) => change(filters, { method })}
        choices={[
          { value: null, label: t.messages.anyMethod },
          { value: 'forward', label: t.messages.methods.forward },
          { value: 'copy', label: t.messages.methods.copy },
        ]}
      />
      <ChannelMenu value={filters.channel} onChange={(channel) => change(filters, { channel })} />
      <Period range={filters} onChange={(range) => change(filters, range)} />
    </FilterRow>
  );
}

const MOST_LETTERS = 80;

/** The first 80 letters, as one line. */
function excerptOf(text: string): string {
  const letters = Array.from(text.replace(/\s+/g, ' ').trim());
  return letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS - 1).join('')}…` : letters.join('');
}

function columnsOf(t: Catalogue, language: Language): Column<ForwardedMessage>[] {
  const words = t.messages;
  return [
    {
      id: 'ts',
      head: words.columns.ts,
      width: '176px',
      sorted: 'descending',
      cell: ({ id, ts, source_channel_name: name }) => (
        <RowLink param={PARAM} id={String(id)}>
          <time dateTime={ts}>
            <span className={tableStyles.missing}>{formatDayMonth(ts, language)}</span>{' '}
            {formatClockSeconds(ts, language)}
          </time>
          <span className="visually-hidden"> {name ?? words.unnamed}</span>
        </RowLink>
      ),
    },
    {
      id: 'source',
      head: words.columns.source,
      width: '22%',
      cell: ({ source_channel_name: name, source_channel_id: id }) => (
        <span title={id}>{name ?? `${words.unnamed} ${id}`}</span>
      ),
    },
    {
      id: 'sourceId',
      head: words.sourceId.toUpperCase(),
      width: '140px',
      isExtra: true,
      cell: ({ source_channel_id: id }) => <span className={tableStyles.missing}>{id}</span>,
    },
    {
      id: 'text',
      head: words.columns.text,
      isWide: true,
      cell: ({ message_text: text }) =>
        text === null || text === '' ? (
          <span className={tableStyles.missing}>{words.noText}</span>
        ) : (
          <span className={tableStyles.soft}>{excerptOf(text)}</span>
        ),
    },
    {
      id: 'media',
      head: words.columns.media,
      isExtra: true,
      width: '96px',
      cell: ({ image_url: image }) =>
        image === null ? (
          <span className={tableStyles.missing}>{words.noMedia}</span>
        ) : (
          <>
            <ImageIcon size={14} aria-hidden /> {words.image}
          </>
        ),
    },
    {
      id: 'method',
      head: words.columns.method,
      isExtra: true,
      width: '112px',
      cell: ({ forward_method: method }) => <span className={tableStyles.soft}>{words.methods[method]}</span>,
    },
    {
      id: 'links',
      head: '',
      width: '56px',
      kind: 'actions',
      cell: ({ source_channel_id: channel, message_id: message }) => {
        const address = telegramAddress(channel, message);
        return (
          address !== null && (
            <a
              href={address}
              target="_blank"
              rel="noreferrer"
              title={words.openSource}
              aria-label={`${words.openSource} (${t.opensElsewhere})`}
            >
              <ExternalLink size={14} aria-hidden />
            </a>
          )
        );
      },
    },
  ];
}

function usePageActions(refresh: () => void): void {
  const t = useTexts();
  const offered = useMemo<Action[]>(
    () => [
      { id: 'search', title: t.messages.focusSearch, group: 'action', keys: ['/'], run: focusSearch },
      { id: 'clear', title: t.filters.clear, group: 'action', run: clear },
      { id: 'refresh', title: t.palette.refreshList, group: 'action', run: refresh },
    ],
    [t, refresh],
  );
  useActions(offered);
}

export function MessagesPage({ query }: { query: URLSearchParams }) {
  const t = useTexts();
  const language = useLanguage();
  const isPhone = useMedia(PHONE);
  const address = query.toString();
  const filters = useMemo(() => messageFiltersOf(new URLSearchParams(address)), [address]);
  const size = pageSizeOf(query);
  const openId = query.get(PARAM);
  const [hold, setHold] = useState(false);
  const reading = useMessages(filters, size, hold);
  const { data, isPlaceholderData, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } =
    reading;
  const rows = useMemo(() => data?.pages.flatMap((page) => page.data) ?? [], [data]);
  const { refetch } = reading;
  const refresh = useMemo(() => () => void refetch(), [refetch]);
  const columns = useMemo(() => {
    const all = columnsOf(t, language);
    return isPhone ? all.filter(({ id }) => id !== 'sourceId') : all;
  }, [t, language, isPhone]);
  const holding = useHold(setHold);
  usePageTitle(t.nav.messages);
  usePageActions(refresh);
  useRowWalk(openId !== null);

  const instead = useInstead({
    reading,
    hasRows: rows.length > 0 && !(isPlaceholderData && reading.failureReason !== null),
    isChanging: isPlaceholderData,
    isFiltered: isFiltered(filters),
    skeleton: <SkeletonTable columns={columns.length} isPhone={isPhone} />,
    failed: (error, retry) => <Failed title={t.states.listErrorTitle} error={error} retry={retry} />,
    noMatch: <NoMatch title={t.messages.noMatchTitle} text={t.states.widen} onClear={clear} />,
    empty: (
      <BigState
        icon={<MessagesSquare size={28} aria-hidden />}
        title={t.messages.emptyTitle}
        text={t.messages.emptyText}
      />
    ),
  });

  return (
    <div className={pageStyles.page}>
      <StaleReading reading={reading} />
      <MessageFilterRow filters={filters} size={size} />
      <div className={pageStyles.split}>
        <div
          className={pageStyles.scroll}
          data-changing={isPlaceholderData}
          aria-busy={reading.isFetching}
          tabIndex={-1}
          {...holding}
        >
          {instead ?? (
            <>
              <Table
                label={t.messages.tableLabel}
                columns={columns}
                rows={rows}
                keyOf={keyOf}
                isPhone={isPhone}
                openKey={openId}
              />
              <div className={pageStyles.more}>
                {isFetchNextPageError && !isFetchingNextPage && t.signals.moreFailed}
                {hasNextPage ? (
                  <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                    {isFetchingNextPage ? t.signals.loadingMore : t.showMore(formatCount(size, language))}
                  </Button>
                ) : (
                  t.signals.end
                )}
              </div>
            </>
          )}
        </div>
        {openId !== null && (
          <Boundary>
            <MessagePanel id={openId} message={rows.find((row) => keyOf(row) === openId)} param={PARAM} />
          </Boundary>
        )}
      </div>
      <Foot shown={data && t.messages.showing(rows.length, hasNextPage)} />
    </div>
  );
}
