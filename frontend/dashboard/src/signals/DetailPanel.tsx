/** One signal beside the list: its prices, the message it was read from, and where each field stands in it. */
import { useQuery } from '@tanstack/react-query';
import { ChevronDown, ChevronUp, CircleAlert, Link2, SearchX, X } from 'lucide-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { ApiError, getSignal } from '../api/client.ts';
import type { Signal, SignalDetail } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import {
  formatDateTime,
  formatDuration,
  formatMoney,
  formatPercent,
  formatRatio,
  MISSING,
} from '../lib/format.ts';
import type { Language } from '../lib/preferences.ts';
import { toast } from '../lib/toast.ts';
import { Button, IconButton } from '../ui/controls.tsx';
import { BigState } from '../ui/notice.tsx';
import { delayOf, isLate } from './delay.ts';
import { errorText } from './errors.ts';
import { PriceLadder } from './PriceLadder.tsx';
import { changeOf, entryOf, outcomeOf, targetsOf } from './prices.ts';
import { EditedChip, LateChip, Side } from './Side.tsx';
import { piecesOf } from './spans.ts';
import styles from './DetailPanel.module.css';

/** Colour of a field in the message: what it means, not which it is. */
function kindOf(field: string, signal: Signal): 'buy' | 'sell' | 'wait' | 'act' {
  if (field === 'stop_loss') return 'sell';
  if (field.startsWith('target_')) return 'buy';
  if (field === 'update_notice') return 'wait';
  if (field === 'signal_type') return signal.signal_type === 'SELL' ? 'sell' : 'buy';
  return 'act';
}

interface Lit {
  field: string | null;
  light: (field: string | null) => void;
}

interface FieldProps extends Lit {
  /** Fields of the explanation that this line stands for. */
  fields: readonly string[];
  name: string;
  kind?: 'target' | 'stop';
  aside?: string | null;
  lit: Lit;
  children: ReactNode;
}

function Field({ fields, name, kind, aside, lit, children }: Omit<FieldProps, keyof Lit>) {
  return (
    <div
      className={styles.field}
      data-kind={kind}
      data-linked={fields.length > 0}
      data-lit={lit.field !== null && fields.includes(lit.field)}
      onPointerEnter={() => lit.light(fields[0] ?? null)}
      onPointerLeave={() => lit.light(null)}
    >
      <dt>{name}</dt>
      <dd>{children}</dd>
      <dd className={styles.change}>{aside}</dd>
    </div>
  );
}

function entryText(signal: Signal, language: Language): string {
  const { buy_min: min, buy_max: max, asset } = signal;
  const low = formatMoney(min, asset, language);
  return max === null || max === min ? low : `${low} – ${formatMoney(max, asset, language)}`;
}

function Outcome({ signal }: { signal: Signal }) {
  const t = useTexts();
  const language = useLanguage();
  const { risk, reward, ratio } = outcomeOf(signal);
  if (risk === null && reward === null) return null;
  const percent = (value: number | null) =>
    value === null ? MISSING : formatPercent(value, language).replace('+', '');
  return (
    <dl className={styles.outcome}>
      <div>
        <dt>{t.panel.risk}</dt>
        <dd>{percent(risk)}</dd>
      </div>
      <div>
        <dt>{t.panel.reward}</dt>
        <dd>{percent(reward)}</dd>
      </div>
      <div>
        <dt>{t.panel.ratio}</dt>
        <dd>{ratio === null ? MISSING : formatRatio(ratio, language)}</dd>
      </div>
    </dl>
  );
}

function Fields({ detail, lit }: { detail: SignalDetail; lit: Lit }) {
  const t = useTexts();
  const language = useLanguage();
  const { data: signal, explanation } = detail;
  const entry = entryOf(signal);
  const money = (value: number | null) => formatMoney(value, signal.asset, language);
  const away = (value: number | null) => {
    const change = changeOf(entry, value);
    return change === null ? null : formatPercent(change, language);
  };
  const isTradeRead = explanation.spans.some(({ field }) => field === 'trade_type');
  const by = explanation.direction;
  return (
    <section className={styles.section}>
      <PriceLadder signal={signal} />
      <dl className={styles.fields}>
        <Field name={t.panel.entry} fields={['buy_min', 'buy_max']} lit={lit}>
          {entryText(signal, language)}
        </Field>
        {targetsOf(signal, explanation.spans).map(({ number, value, field }) => (
          <Field
            key={field}
            name={number === null ? t.panel.targetFinal : t.panel.target(number)}
            fields={[field]}
            kind="target"
            aside={away(value)}
            lit={lit}
          >
            {money(value)}
          </Field>
        ))}
        <Field name={t.panel.stop} fields={['stop_loss']} kind="stop" aside={away(signal.stop)} lit={lit}>
          {money(signal.stop)}
        </Field>
        <Field name={t.panel.trade} fields={['trade_type']} lit={lit}>
          {isTradeRead ? signal.trade_type : t.panel.tradeAssumed}
        </Field>
        <Field name={t.panel.direction} fields={['signal_type']} lit={lit}>
          <Side type={signal.signal_type} />
          {by !== null && by !== 'word' && ` (${t.panel.directionBy[by]})`}
        </Field>
      </dl>
      <Outcome signal={signal} />
    </section>
  );
}

function Message({ detail, lit }: { detail: SignalDetail; lit: Lit }) {
  const t = useTexts();
  const { data: signal, message, explanation } = detail;
  const { rule } = explanation;
  return (
    <section className={styles.section}>
      <h3>{t.panel.message}</h3>
      {rule !== null && (
        <p className={styles.why}>
          {t.panel.notSignal}. {t.panel.rules[rule]}
        </p>
      )}
      <blockquote className={styles.message} data-testid="original">
        {piecesOf(message.text, explanation.spans).map(({ text, field }, at) =>
          field === null ? (
            text
          ) : (
            <mark
              key={at}
              data-field={field}
              data-kind={kindOf(field, signal)}
              data-lit={lit.field === field}
              onPointerEnter={() => lit.light(field)}
              onPointerLeave={() => lit.light(null)}
            >
              {text}
            </mark>
          ),
        )}
      </blockquote>
    </section>
  );
}

type Version = SignalDetail['versions'][number];

function versionName(version: Version, t: Catalogue, language: Language): string {
  const time = formatDateTime(version.edited_at ?? version.ingested_at, language);
  if (version.deleted) return t.panel.deletedAt(time);
  return version.edited_at === null ? t.panel.original : t.panel.editedAt(time);
}

function Versions({ detail }: { detail: SignalDetail }) {
  const t = useTexts();
  const language = useLanguage();
  const { versions, data } = detail;
  if (versions.length < 2) return null;
  return (
    <section className={styles.section}>
      <h3>{t.panel.versions(versions.length)}</h3>
      <div className={styles.versions}>
        {[...versions].reverse().map((version) => (
          <details key={String(version.revision)}>
            <summary>
              {versionName(version, t, language)}
              {String(version.revision) === String(data.revision) && <small>{t.panel.current}</small>}
            </summary>
            {version.text !== null && <blockquote className={styles.message}>{version.text}</blockquote>}
          </details>
        ))}
      </div>
    </section>
  );
}

function Origin({ detail }: { detail: SignalDetail }) {
  const t = useTexts();
  const language = useLanguage();
  const { data: signal, message } = detail;
  const delay = isLate(signal) ? formatDuration(delayOf(signal)) : t.panel.none;
  const facts: [string, string][] = [
    [t.panel.channel, signal.channel],
    [t.panel.messageNumber, String(signal.message_id)],
    [t.panel.sent, formatDateTime(signal.ts, language)],
    [t.panel.stored, formatDateTime(signal.ingested_at, language)],
    [t.panel.delay, delay],
  ];
  return (
    <section className={styles.section}>
      <h3>{t.panel.origin}</h3>
      <dl className={styles.fields}>
        {facts.map(([name, value]) => (
          <div key={name} className={styles.field}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {message.request_id !== null && (
        <p className={styles.change}>
          <small className={styles.mono}>{t.requestId(message.request_id)}</small>
        </p>
      )}
    </section>
  );
}

function Content({ detail }: { detail: SignalDetail }) {
  const [field, light] = useState<string | null>(null);
  const lit = { field, light };
  return (
    <div className={styles.body} tabIndex={0}>
      {detail.data.signal_type !== 'UNKNOWN' && <Fields detail={detail} lit={lit} />}
      <Message detail={detail} lit={lit} />
      <Versions detail={detail} />
      <Origin detail={detail} />
    </div>
  );
}

function Failed({ error, retry }: { error: Error; retry: () => void }) {
  const t = useTexts();
  if (error instanceof ApiError && error.status === 404)
    return <BigState icon={<SearchX size={24} aria-hidden />} title={t.panel.gone} />;
  return (
    <BigState
      icon={<CircleAlert size={24} aria-hidden />}
      title={t.panel.failed}
      text={errorText(error, t)}
      {...(error instanceof ApiError && { small: t.requestId(error.requestId) })}
      action={{ label: t.retry, run: retry }}
    />
  );
}

async function copyLink(t: Catalogue): Promise<void> {
  try {
    await navigator.clipboard.writeText(window.location.href);
    toast('done', t.linkCopied);
  } catch {
    toast('failed', t.copyFailed);
  }
}

interface DetailPanelProps {
  id: string;
  /** The row as the list knows it: shown at once, and a newer `seq` reads the detail again. */
  row: Signal | undefined;
  /** Covers the list: then the focus moves here. */
  isOver: boolean;
  onClose: () => void;
  onStep: (step: 1 | -1) => void;
}

export function DetailPanel({ id, row, isOver, onClose, onStep }: DetailPanelProps) {
  const t = useTexts();
  const panel = useRef<HTMLElement>(null);
  const { data, error, refetch } = useQuery({
    queryKey: ['signal', id, row?.seq],
    queryFn: ({ signal }) => getSignal(id, signal),
    placeholderData: (before) => (before && String(before.data.id) === id ? before : undefined),
    staleTime: Infinity,
    networkMode: 'always',
    retry: false,
    refetchOnWindowFocus: false,
  });
  useEffect(() => {
    if (isOver) panel.current?.focus();
  }, [isOver]);
  const shown = data?.data ?? row;

  return (
    <aside ref={panel} className={styles.panel} tabIndex={-1} aria-label={t.panel.label} data-testid="panel">
      <header className={styles.head}>
        <h2>
          {shown && <Side type={shown.signal_type} />}
          {shown?.asset}
          {shown && <LateChip signal={shown} />}
          {shown && <EditedChip signal={shown} />}
        </h2>
        <IconButton label={t.panel.previous} keys={['K']} onClick={() => onStep(-1)}>
          <ChevronUp size={16} aria-hidden />
        </IconButton>
        <IconButton label={t.panel.next} keys={['J']} onClick={() => onStep(1)}>
          <ChevronDown size={16} aria-hidden />
        </IconButton>
        <IconButton label={t.copyLink} onClick={() => void copyLink(t)}>
          <Link2 size={16} aria-hidden />
        </IconButton>
        <Button look="bare" aria-label={t.close} onClick={onClose}>
          <X size={16} aria-hidden />
        </Button>
      </header>
      {data ? <Content detail={data} /> : error && <Failed error={error} retry={() => void refetch()} />}
    </aside>
  );
}
