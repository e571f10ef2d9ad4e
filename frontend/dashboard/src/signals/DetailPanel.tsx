/** One signal beside the list: its prices, the message it was read from, and where each field stands in it. */
import { useQuery } from '@tanstack/react-query';
import { Check as CheckIcon, CircleAlert, Minus, SearchX, Trash2, X } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';
import { ApiError, getSignal } from '../api/client.ts';
import { errorText } from '../api/errors.ts';
import type { Signal, SignalDetail } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { useActions, type Action } from '../lib/actions.ts';
import {
  formatDateTime,
  formatDuration,
  formatMoney,
  formatPercent,
  formatRatio,
  MISSING,
} from '../lib/format.ts';
import type { Language } from '../lib/preferences.ts';
import { classOf, IconButton } from '../ui/controls.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { BigState } from '../ui/notice.tsx';
import { closePanel, Facts, Panel, PanelBody, panelStyles, Section } from '../ui/panel.tsx';
import { delayOf, isLate } from './delay.ts';
import { deleteSignal } from './deleting.ts';
import { PriceLadder } from './PriceLadder.tsx';
import { changeOf, entryOf, outcomeOf, targetsOf } from './prices.ts';
import { EditedChip, LateChip, Side, sideText } from './Side.tsx';
import { piecesOf } from './spans.ts';
import { checksOf, type Check } from './why.ts';
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
      className={classOf(panelStyles.field, styles.field)}
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
    <Section>
      <PriceLadder signal={signal} />
      <dl className={panelStyles.fields}>
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
    </Section>
  );
}

function Message({ detail, lit }: { detail: SignalDetail; lit: Lit }) {
  const t = useTexts();
  const { data: signal, message, explanation } = detail;
  return (
    <Section title={t.panel.message}>
      <blockquote className={classOf(panelStyles.message, styles.message)} data-testid="original">
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
    </Section>
  );
}

const CHECK_ICONS = { passed: CheckIcon, failed: X, skipped: Minus };

function checkText({ name, state, span }: Check, { explanation }: SignalDetail, t: Catalogue): string {
  const by = explanation.direction;
  if (name === 'notice') return span ? t.panel.check.noticeFound(span.text) : t.panel.check.noticeNone;
  if (name === 'direction' && by !== null && by !== 'word') return t.panel.directionBy[by];
  if (span) return t.panel.check.readFrom(span.text);
  return state === 'skipped' ? t.panel.check.notNeeded : t.panel.check.missing;
}

/** The steps that made the message a signal or not; each lights the words it rests on. */
function Why({ detail, lit }: { detail: SignalDetail; lit: Lit }) {
  const t = useTexts();
  const { data: signal, explanation } = detail;
  const { rule } = explanation;
  const completeness = signal.complete ? t.panel.verdictComplete : t.panel.verdictIncomplete;
  return (
    <Section title={rule === null ? t.panel.why : t.panel.whyNot}>
      <p className={styles.why}>
        {rule === null ? `${t.panel.verdict} ${completeness}` : t.panel.rules[rule]}
      </p>
      <ul className={styles.checks}>
        {checksOf(signal, explanation).map((check) => {
          const Icon = CHECK_ICONS[check.state];
          return (
            <li
              key={check.name}
              data-state={check.state}
              data-testid={`check-${check.name}`}
              onPointerEnter={() => lit.light(check.span?.field ?? null)}
              onPointerLeave={() => lit.light(null)}
            >
              <Icon size={14} aria-hidden />
              <span>
                {t.panel.checks[check.name]}
                <span className="visually-hidden">: {t.panel.check[check.state]}</span>
              </span>
              <small>{checkText(check, detail, t)}</small>
            </li>
          );
        })}
      </ul>
    </Section>
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
    <Section title={t.panel.versions(versions.length)}>
      <div className={styles.versions}>
        {[...versions].reverse().map((version) => (
          <details key={String(version.revision)}>
            <summary>
              {versionName(version, t, language)}
              {String(version.revision) === String(data.revision) && <small>{t.panel.current}</small>}
            </summary>
            {version.text !== null && <blockquote className={panelStyles.message}>{version.text}</blockquote>}
          </details>
        ))}
      </div>
    </Section>
  );
}

function Origin({ detail }: { detail: SignalDetail }) {
  const t = useTexts();
  const language = useLanguage();
  const { data: signal, message } = detail;
  const delay = isLate(signal) ? formatDuration(delayOf(signal)) : t.panel.none;
  const facts: [string, string][] = [
    [t.panel.channel, signal.channel],
    [t.panel.messageNumber, signal.message_id === null ? t.panel.none : String(signal.message_id)],
    [t.panel.sent, formatDateTime(signal.ts, language)],
    [t.panel.stored, formatDateTime(signal.ingested_at, language)],
    [t.panel.delay, delay],
  ];
  return (
    <Section title={t.panel.origin}>
      <Facts facts={facts} />
      {message.request_id !== null && (
        <p className={styles.change}>
          <small className={panelStyles.mono}>{t.requestId(message.request_id)}</small>
        </p>
      )}
    </Section>
  );
}

function Content({ detail }: { detail: SignalDetail }) {
  const [field, light] = useState<string | null>(null);
  const lit = { field, light };
  return (
    <PanelBody>
      {detail.data.signal_type !== 'UNKNOWN' && <Fields detail={detail} lit={lit} />}
      <Message detail={detail} lit={lit} />
      <Why detail={detail} lit={lit} />
      <Versions detail={detail} />
      <Origin detail={detail} />
    </PanelBody>
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

/** Asks first: what is deleted does not come back. Also by the key Delete while the panel is open. */
function Delete({ signal, onDelete }: { signal: Signal; onDelete: () => void }) {
  const t = useTexts();
  const [isAsking, setAsking] = useState(false);
  useActions(
    useMemo<Action[]>(
      () => [
        {
          id: 'delete-signal',
          title: t.panel.delete,
          group: 'action',
          keys: ['delete'],
          run: () => setAsking(true),
        },
      ],
      [t],
    ),
  );
  return (
    <>
      <IconButton label={t.panel.delete} keys={['Del']} onClick={() => setAsking(true)}>
        <Trash2 size={16} aria-hidden />
      </IconButton>
      <Confirm
        open={isAsking}
        title={t.panel.deleteTitle}
        text={t.panel.deleteText}
        action={t.panel.delete}
        isDanger
        onClose={() => setAsking(false)}
        onConfirm={() => {
          onDelete();
          void deleteSignal(signal, `${sideText(signal.signal_type, t)} ${signal.asset ?? ''}`.trim());
        }}
      />
    </>
  );
}

interface DetailPanelProps {
  id: string;
  /** The row as the list knows it: shown at once, and a newer `seq` reads the detail again. */
  row: Signal | undefined;
}

export function DetailPanel({ id, row }: DetailPanelProps) {
  const t = useTexts();
  const { data, error, refetch } = useQuery({
    queryKey: ['signal', id, row?.seq],
    queryFn: ({ signal }) => getSignal(id, signal),
    placeholderData: (before) => (before && String(before.data.id) === id ? before : undefined),
    staleTime: Infinity,
    networkMode: 'always',
    retry: false,
    refetchOnWindowFocus: false,
  });
  const shown = data?.data ?? row;
  const close = () => closePanel('signal', id);

  return (
    <Panel
      label={t.panel.label}
      steps={t.panel}
      onClose={close}
      title={
        shown && (
          <>
            <Side type={shown.signal_type} />
            {shown.asset}
            <LateChip signal={shown} />
            <EditedChip signal={shown} />
          </>
        )
      }
      buttons={shown && <Delete signal={shown} onDelete={close} />}
    >
      {data ? <Content detail={data} /> : error && <Failed error={error} retry={() => void refetch()} />}
    </Panel>
  );
}
