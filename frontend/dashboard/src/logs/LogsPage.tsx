/** Logs: the newest lines of the signal service, followed while they are looked at. */
import { useQuery } from '@tanstack/react-query';
import { ChevronRight, Pause, Play, ScrollText } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { get } from '../api/client.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { useActions, type Action } from '../lib/actions.ts';
import { formatClock, formatClockSeconds, formatCount, formatDayMonth } from '../lib/format.ts';
import { PHONE, useMedia } from '../lib/hooks.ts';
import { searchOf } from '../lib/query.ts';
import { setQuery } from '../lib/router.ts';
import { patience } from '../live/patience.ts';
import { Button, Key } from '../ui/controls.tsx';
import { ChoiceMenu, FilterRow, focusSearch, SearchField } from '../ui/filters.tsx';
import { BigState } from '../ui/notice.tsx';
import { Failed, Foot, NoMatch, pageStyles, StaleReading, useInstead, usePageTitle } from '../ui/page.tsx';
import { SkeletonTable, useRowWalk } from '../ui/table.tsx';
import {
  contextFacts,
  DEFAULT_LIMIT,
  keyed,
  levelOf,
  LEVELS,
  limitOf,
  LIMITS,
  matching,
  type KeyedLine,
  type Level,
} from './lines.ts';
import styles from './LogsPage.module.css';

const EVERY_MS = 3_000;

function useLines(level: Level | null, limit: number, isPaused: boolean) {
  return useQuery({
    queryKey: ['logs', level, limit],
    queryFn: ({ signal }) => get('/logs', { limit, ...(level !== null && { level }) }, signal),
    refetchInterval: isPaused ? false : EVERY_MS,
    // Paused means paused, also for a window that gets the focus back.
    refetchOnWindowFocus: !isPaused,
    ...patience,
  });
}

function LogLine({ line }: { line: KeyedLine }) {
  const t = useTexts();
  const language = useLanguage();
  const facts = contextFacts(line.context);
  const known = LEVELS.find((level) => level === line.level);
  return (
    <li className={styles.line} data-testid="row" data-level={line.level}>
      <details>
        <summary data-row-link={line.key}>
          <ChevronRight size={12} aria-hidden />
          <time dateTime={line.timestamp}>
            <small>{formatDayMonth(line.timestamp, language)}</small>{' '}
            {formatClockSeconds(line.timestamp, language)}
          </time>
          <span className={styles.level}>{known ? t.logs.levels[known] : line.level}</span>
          <span className={styles.message}>{line.message}</span>
        </summary>
        {facts.length === 0 ? (
          <p className={styles.none}>{t.logs.noContext}</p>
        ) : (
          <dl className={styles.context} aria-label={t.logs.context}>
            {facts.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </details>
    </li>
  );
}

const clear = () => setQuery({ level: null, search: null });

interface FiltersProps {
  level: Level | null;
  limit: number;
  search: string;
  pausedAt: number | null;
  togglePause: () => void;
}

function LogFilters({ level, limit, search, pausedAt, togglePause }: FiltersProps) {
  const t = useTexts();
  const language = useLanguage();
  const isPhone = useMedia(PHONE);
  const name = (each: Level) => t.logs.atLeast(t.logs.levels[each]);
  return (
    <FilterRow
      onClear={level !== null || search !== '' ? clear : undefined}
      isAsideFirst
      aside={
        <Button active={pausedAt !== null} aria-pressed={pausedAt !== null} onClick={togglePause}>
          {pausedAt === null ? <Pause size={14} aria-hidden /> : <Play size={14} aria-hidden />}
          {pausedAt === null ? t.logs.pause : t.logs.resume}
          {!isPhone && <Key>P</Key>}
        </Button>
      }
    >
      <SearchField
        label={t.logs.search}
        value={search}
        onChange={(text) => setQuery({ search: text || null }, 'replace')}
      />
      <ChoiceMenu
        value={level}
        shown={level === null ? t.logs.level : name(level)}
        any={t.logs.anyLevel}
        choices={LEVELS.map((each) => ({ value: each, label: name(each) }))}
        onChange={(next) => setQuery({ level: next })}
      />
      <ChoiceMenu
        value={String(limit)}
        shown={t.logs.limit(formatCount(limit, language))}
        choices={LIMITS.map((each) => ({
          value: String(each),
          label: t.logs.limit(formatCount(each, language)),
        }))}
        onChange={(next) => setQuery({ limit: next === String(DEFAULT_LIMIT) ? null : next })}
      />
    </FilterRow>
  );
}

function usePageActions(togglePause: () => void): void {
  const t = useTexts();
  const offered = useMemo<Action[]>(
    () => [
      { id: 'search', title: t.logs.focusSearch, group: 'action', keys: ['/'], run: focusSearch },
      { id: 'clear', title: t.filters.clear, group: 'action', run: clear },
      { id: 'pause', title: t.keys.pause, group: 'action', keys: ['p'], run: togglePause },
    ],
    [t, togglePause],
  );
  useActions(offered);
}

export function LogsPage({ query }: { query: URLSearchParams }) {
  const t = useTexts();
  const language = useLanguage();
  const isPhone = useMedia(PHONE);
  const level = levelOf(query);
  const limit = limitOf(query);
  const search = searchOf(query);
  const [pausedAt, setPausedAt] = useState<number | null>(null);
  const reading = useLines(level, limit, pausedAt !== null);
  const lines = useMemo(() => keyed(reading.data?.data ?? []), [reading.data]);
  const shown = useMemo(() => matching(lines, search), [lines, search]);
  const { refetch } = reading;
  const togglePause = useCallback(() => {
    if (pausedAt !== null) void refetch();
    setPausedAt(pausedAt === null ? Date.now() : null);
  }, [pausedAt, refetch]);
  usePageTitle(t.nav.logs);
  usePageActions(togglePause);
  useRowWalk();

  const instead = useInstead({
    reading,
    hasRows: shown.length > 0,
    isFiltered: search !== '',
    skeleton: <SkeletonTable columns={3} isPhone={isPhone} />,
    failed: (error, retry) => <Failed title={t.states.listErrorTitle} error={error} retry={retry} />,
    noMatch: <NoMatch title={t.logs.noMatchTitle} text={t.states.widen} onClear={clear} />,
    empty: (
      <BigState
        icon={<ScrollText size={28} aria-hidden />}
        title={t.logs.emptyTitle}
        text={t.logs.emptyText}
      />
    ),
  });

  return (
    <div className={pageStyles.page}>
      <StaleReading reading={reading} />
      <LogFilters {...{ level, limit, search, pausedAt, togglePause }} />
      <div className={pageStyles.split}>
        <div className={pageStyles.scroll} aria-busy={reading.isPending} tabIndex={-1}>
          {instead ?? (
            <ol className={styles.lines} aria-label={t.logs.tableLabel}>
              {shown.map((line) => (
                <LogLine key={line.key} line={line} />
              ))}
            </ol>
          )}
        </div>
      </div>
      <Foot shown={reading.data && t.logs.showing(shown.length)}>
        <span className={styles.pace} data-paused={pausedAt !== null} role="status">
          {pausedAt === null ? t.logs.live : t.logs.pausedAt(formatClock(pausedAt, language))}
        </span>
      </Foot>
    </div>
  );
}
