/** Reler mensagens: what the present parser would read otherwise, field by field, and its adoption. */
import { useQuery } from '@tanstack/react-query';
import { ArrowRight, CircleCheck, Play, RotateCcw, Square } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { get, send } from '../api/client.ts';
import { errorText } from '../api/errors.ts';
import type { SignalType } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { announce } from '../lib/announce.ts';
import { formatCount, formatDateTime, formatMoney, formatPrice, MISSING } from '../lib/format.ts';
import { PHONE, useMedia } from '../lib/hooks.ts';
import type { Language } from '../lib/preferences.ts';
import { rangeOf, rangeQuery } from '../lib/query.ts';
import { followInPage, setQuery } from '../lib/router.ts';
import { ChannelMenu } from '../signals/FilterBar.tsx';
import { Side } from '../signals/Side.tsx';
import { Button } from '../ui/controls.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { FilterRow, Period } from '../ui/filters.tsx';
import { BigState } from '../ui/notice.tsx';
import { Foot, pageStyles, usePageTitle } from '../ui/page.tsx';
import { Table, tableStyles, useRowWalk, type Column } from '../ui/table.tsx';
import {
  fieldChanges,
  MOST_SHOWN,
  NO_PROGRESS,
  walk,
  type FieldChange,
  type Outcome,
  type Progress,
  type ReparseBody,
} from './walk.ts';
import styles from './ReparsePage.module.css';

type Scope = Pick<ReparseBody, 'channelId' | 'from' | 'to'>;

interface Run {
  adopt: boolean;
  progress: Progress;
  /** Null while it runs. */
  outcome: Outcome | null;
}

const channelOf = (query: URLSearchParams) => {
  const channel = query.get('channel');
  return channel !== null && /^-?\d{1,19}$/.test(channel) ? channel : null;
};

/** One walk at a time; leaving the page stops it. */
function useWalks() {
  const [run, setRun] = useState<Run | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const start = async (scope: Scope, adopt: boolean) => {
    const controller = new AbortController();
    abort.current = controller;
    setRun({ adopt, progress: NO_PROGRESS, outcome: null });
    const outcome = await walk({
      scope,
      adopt,
      signal: controller.signal,
      ask: (body, signal) => send('post', '/signals/reparse', body, { signal }),
      onProgress: (progress) => setRun({ adopt, progress, outcome: null }),
    });
    if (abort.current === controller) setRun({ adopt, progress: outcome, outcome });
    return outcome;
  };
  const forget = () => {
    abort.current?.abort();
    abort.current = null;
    setRun(null);
  };
  return { run, start, stop: () => abort.current?.abort(), forget };
}

/** How many messages there are to read: the bar needs an end. Null while unknown, or beyond what is counted. */
function useTotal(scope: Scope): number | null {
  const { channelId: channel, from, to } = scope;
  const { data } = useQuery({
    queryKey: ['reparse', 'total', scope],
    queryFn: ({ signal }) =>
      get(
        '/signals',
        {
          limit: 1,
          count: true,
          ...(channel != null && { channel }),
          ...(from != null && { from }),
          ...(to != null && { to }),
        },
        signal,
      ),
    networkMode: 'always',
    retry: false,
  });
  return data?.totalIsMinimum === true ? null : (data?.total ?? null);
}

function verdict({ adopt, outcome }: Run, t: Catalogue): string {
  if (!outcome) return '';
  const { end, scanned, changed } = outcome;
  const seen = adopt ? t.reparse.adopted(changed) : t.reparse.compared(scanned, changed);
  if (end === 'failed') return `${t.reparse.failed(errorText(outcome.error, t))} ${seen}.`;
  if (end === 'stopped') return adopt ? t.reparse.stoppedAdopting(changed) : `${t.reparse.stopped} ${seen}.`;
  return `${seen}.`;
}

function Status({ run, total }: { run: Run; total: number | null }) {
  const t = useTexts();
  const language = useLanguage();
  const { progress, outcome, adopt } = run;
  const count = (value: number) => formatCount(value, language);
  const words = adopt ? t.reparse.adopting : t.reparse.comparing;
  return (
    <div className={styles.status} data-tone={outcome?.end ?? 'running'}>
      {outcome === null && (
        <progress
          aria-label={t.reparse.progress}
          {...(total !== null && { value: Math.min(progress.scanned, total), max: Math.max(1, total) })}
        />
      )}
      <p data-testid="verdict">
        {outcome === null ? words(count(progress.scanned), count(progress.changed)) : verdict(run, t)}
      </p>
    </div>
  );
}

function Value({ change, value }: { change: FieldChange; value: FieldChange['before'] }) {
  const t = useTexts();
  const language = useLanguage();
  if (value === null || value === undefined) return <span className={tableStyles.missing}>{MISSING}</span>;
  if (typeof value === 'boolean') return value ? t.reparse.yes : t.reparse.no;
  const { asset } = change.difference.after;
  if (typeof value === 'number') return formatMoney(value, asset, language);
  if (Array.isArray(value)) return value.map((price) => formatPrice(price, language, 0, asset)).join(' · ');
  return change.field === 'signal_type' ? <Side type={value as SignalType} /> : value;
}

function columnsOf(t: Catalogue, language: Language): Column<FieldChange>[] {
  const words = t.reparse.columns;
  const names: Record<string, string> = t.reparse.fields;
  return [
    {
      id: 'ts',
      head: words.ts,
      width: '172px',
      cell: ({ difference, isFirst }) =>
        isFirst && (
          <a
            className={tableStyles.link}
            href={`/sinais?signal=${difference.id}`}
            data-row-link={String(difference.id)}
            title={difference.raw_message}
            onClick={followInPage}
          >
            {formatDateTime(difference.ts, language)}
          </a>
        ),
    },
    {
      id: 'channel',
      head: words.channel,
      isWide: true,
      cell: ({ difference, isFirst }) =>
        isFirst && <span className={tableStyles.soft}>{difference.channel}</span>,
    },
    { id: 'field', head: words.field, width: '150px', cell: ({ field }) => names[field] ?? field },
    {
      id: 'before',
      head: words.before,
      width: '22%',
      cell: (change) => (
        <del className={styles.before}>
          <Value change={change} value={change.before} />
        </del>
      ),
    },
    {
      id: 'after',
      head: words.after,
      width: '24%',
      cell: (change) => (
        <ins className={styles.after}>
          <ArrowRight size={12} aria-hidden />
          <Value change={change} value={change.after} />
        </ins>
      ),
    },
  ];
}

function Differences({ run }: { run: Run | null }) {
  const t = useTexts();
  const language = useLanguage();
  const isPhone = useMedia(PHONE);
  const columns = useMemo(() => columnsOf(t, language), [t, language]);
  const differences = run?.progress.differences;
  const changes = useMemo(() => fieldChanges(differences ?? []), [differences]);
  if (changes.length > 0)
    return (
      <Table
        label={t.reparse.tableLabel}
        columns={columns}
        rows={changes}
        keyOf={({ key }) => key}
        isPhone={isPhone}
      />
    );
  if (!run)
    return (
      <BigState
        icon={<RotateCcw size={28} aria-hidden />}
        title={t.reparse.ready}
        text={t.reparse.readyText}
      />
    );
  if (run.outcome?.end !== 'done' || run.adopt) return null;
  return (
    <BigState icon={<CircleCheck size={28} aria-hidden />} title={t.reparse.none} text={t.reparse.noneText} />
  );
}

export function ReparsePage({ query }: { query: URLSearchParams }) {
  const t = useTexts();
  const language = useLanguage();
  const channel = channelOf(query);
  const range = rangeOf(query);
  const scope: Scope = { ...(channel !== null && { channelId: channel }), ...rangeQuery(range) };
  const { run, start, stop, forget } = useWalks();
  const [isAsking, setAsking] = useState(false);
  const total = useTotal(scope);
  const isRunning = run !== null && run.outcome === null;
  const found = run?.outcome?.end === 'done' && !run.adopt ? run.outcome.changed : 0;
  usePageTitle(t.nav.reparse);
  useRowWalk();

  const go = async (adopt: boolean) => {
    const outcome = await start(scope, adopt);
    announce(verdict({ adopt, progress: outcome, outcome }, t));
  };
  // What was compared belongs to the choice before.
  const choose = (changes: Record<string, string | null>) => {
    forget();
    setQuery(changes);
  };

  return (
    <div className={pageStyles.page}>
      <FilterRow
        onClear={
          channel !== null || range.from !== null || range.to !== null
            ? () => choose({ channel: null, from: null, to: null })
            : undefined
        }
        isAsideFirst
        aside={
          isRunning ? (
            <Button onClick={stop}>
              <Square size={14} aria-hidden />
              {t.reparse.stop}
            </Button>
          ) : (
            <>
              {found > 0 && (
                <Button look="primary" onClick={() => setAsking(true)}>
                  {t.reparse.adopt(found)}
                </Button>
              )}
              <Button look={found > 0 ? 'plain' : 'primary'} onClick={() => void go(false)}>
                <Play size={14} aria-hidden />
                {run ? t.reparse.again : t.reparse.start}
              </Button>
            </>
          )
        }
      >
        <ChannelMenu value={channel} onChange={(next) => choose({ channel: next })} />
        <Period range={range} onChange={(next) => choose({ from: next.from, to: next.to })} />
      </FilterRow>
      <p className={styles.intro}>{t.reparse.intro}</p>
      {run && <Status run={run} total={total} />}
      <div className={pageStyles.split}>
        <div className={pageStyles.scroll} aria-busy={isRunning} tabIndex={-1}>
          <Differences run={run} />
        </div>
      </div>
      {run && run.progress.changed > MOST_SHOWN && (
        <Foot shown={t.reparse.first(formatCount(MOST_SHOWN, language))} />
      )}
      <Confirm
        open={isAsking}
        title={t.reparse.confirmTitle}
        text={t.reparse.confirmText(found)}
        action={t.reparse.adopt(found)}
        onClose={() => setAsking(false)}
        onConfirm={() => void go(true)}
      />
    </div>
  );
}
