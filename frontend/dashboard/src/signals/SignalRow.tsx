/** One signal as a row of the table, or as a card on a phone. */
import { memo, type ReactNode } from 'react';
import { idOf, type Signal } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { formatClockSeconds, formatDayMonth, formatPrice, MISSING } from '../lib/format.ts';
import type { Language } from '../lib/preferences.ts';
import { addressOf, followInPage, placeOf } from '../lib/router.ts';
import { classOf } from '../ui/controls.tsx';
import type { ColumnId, Layout } from './columns.ts';
import { EditedChip, LateChip, Side, sideText } from './Side.tsx';
import styles from './SignalTable.module.css';

export interface RowProps {
  signal: Signal;
  /** Present address: the link of a row only adds the open signal to it. */
  address: string;
  top: number;
  index: number;
  isOpen: boolean;
  isFresh: boolean;
  onFocus: (id: string) => void;
}

interface TableRowProps extends RowProps {
  columns: Layout['shown'];
  /** Decimals of the longest price, so that commas stand under each other. */
  decimals: number;
}

const TRADE_WORDS = ['Swing Trade', 'Day Trade', 'Scalping', 'Position'] as const;

export function tradeText(trade: string | null, t: Catalogue): string {
  const known = TRADE_WORDS.find((name) => name === trade);
  return known ? t.trade[known] : (trade ?? MISSING);
}

export function openAddress(address: string, id: string): string {
  const { path, query } = placeOf(address);
  query.set('signal', id);
  return addressOf(path, query);
}

interface RowLinkProps extends Pick<RowProps, 'signal' | 'address' | 'onFocus'> {
  className?: string | undefined;
  children: ReactNode;
}

function RowLink({ signal, address, onFocus, className, children }: RowLinkProps) {
  const id = idOf(signal);
  return (
    <a
      className={className}
      href={openAddress(address, id)}
      data-row-link={id}
      onClick={followInPage}
      onFocus={() => onFocus(id)}
    >
      {children}
    </a>
  );
}

interface PriceProps {
  of: TableRowProps;
  value: number | null;
  tone?: string | undefined;
}

function Price({ of: { signal, decimals }, value, tone }: PriceProps) {
  const language = useLanguage();
  return (
    <span className={value === null ? styles.missing : tone}>
      {formatPrice(value, language, decimals, signal.asset)}
    </span>
  );
}

function When({ signal }: { signal: Signal }) {
  const language = useLanguage();
  return (
    <time className={styles.time} dateTime={signal.ts}>
      <small>{formatDayMonth(signal.ts, language)}</small>
      {formatClockSeconds(signal.ts, language)}
    </time>
  );
}

function cellOf(id: ColumnId, props: TableRowProps, t: Catalogue): ReactNode {
  const { signal } = props;
  switch (id) {
    case 'ts':
      return (
        <>
          <RowLink {...props}>
            <When signal={signal} />
            {/* Heard, not seen: a link that is only a time says nothing out of its row. */}
            <span className="visually-hidden">
              {sideText(signal.signal_type, t)} {signal.asset}
            </span>
          </RowLink>
          <LateChip signal={signal} />
          <EditedChip signal={signal} />
        </>
      );
    case 'channel':
      return <span className={classOf(styles.text, styles.soft)}>{signal.channel}</span>;
    case 'type':
      return <Side type={signal.signal_type} />;
    case 'asset':
      return <span className={styles.asset}>{signal.asset ?? MISSING}</span>;
    case 'trade':
      return <span className={styles.soft}>{tradeText(signal.trade_type, t)}</span>;
    case 'buyMin':
      return <Price of={props} value={signal.buy_min} />;
    case 'buyMax':
      return <Price of={props} value={signal.buy_max} />;
    case 'target1':
      return <Price of={props} value={signal.target_1} />;
    case 'target2':
      return <Price of={props} value={signal.target_2} />;
    case 'targetFinal':
      return <Price of={props} value={signal.target_final} tone={styles.final} />;
    case 'stop':
      return <Price of={props} value={signal.stop} tone={styles.stop} />;
  }
}

const BEFORE_EXCERPT: readonly ColumnId[] = ['ts', 'channel', 'type'];
const PRICES: readonly ColumnId[] = ['buyMin', 'buyMax', 'target1', 'target2', 'targetFinal', 'stop'];

/** A message without a signal has no prices: its words take their place. */
function Excerpt({ signal, from, span }: { signal: Signal; from: number; span: number }) {
  return (
    <div
      role="cell"
      aria-colspan={span}
      className={classOf(styles.cell, styles.excerpt)}
      style={{ gridColumn: `${from} / -1` }}
    >
      <span className={styles.text}>{signal.raw_message.replace(/\s+/g, ' ')}</span>
    </div>
  );
}

export const TableRow = memo(function TableRow(props: TableRowProps) {
  const t = useTexts();
  const { signal, columns } = props;
  const isUnknown = signal.signal_type === 'UNKNOWN';
  const cells = isUnknown ? columns.filter(({ id }) => BEFORE_EXCERPT.includes(id)) : columns;
  return (
    <div
      role="row"
      aria-rowindex={props.index + 2}
      className={styles.row}
      data-testid="signal-row"
      data-id={idOf(signal)}
      data-selected={props.isOpen}
      data-fresh={props.isFresh}
      style={{ transform: `translateY(${props.top}px)` }}
      onClick={(event) => {
        const isLink = event.target instanceof Element && event.target.closest('a');
        const isMarking = window.getSelection()?.isCollapsed === false;
        if (!isLink && !isMarking) event.currentTarget.querySelector('a')?.click();
      }}
    >
      {cells.map(({ id }) => (
        <div key={id} role="cell" className={classOf(styles.cell, PRICES.includes(id) && styles.price)}>
          {cellOf(id, props, t)}
        </div>
      ))}
      {isUnknown && <Excerpt signal={signal} from={cells.length + 1} span={columns.length - cells.length} />}
    </div>
  );
});

function range({ buy_min: min, buy_max: max, asset }: Signal, language: Language): string {
  const low = formatPrice(min, language, 0, asset);
  return max === null || max === min ? low : `${low} – ${formatPrice(max, language, 0, asset)}`;
}

function CardFacts({ signal }: { signal: Signal }) {
  const t = useTexts();
  const language = useLanguage();
  return (
    <dl className={styles.facts}>
      <div>
        <dt>{t.panel.entry}</dt>
        <dd>{range(signal, language)}</dd>
      </div>
      <div>
        <dt>{t.panel.targetFinal}</dt>
        <dd className={styles.final}>{formatPrice(signal.target_final, language, 0, signal.asset)}</dd>
      </div>
      <div>
        <dt>{t.panel.stop}</dt>
        <dd className={styles.stop}>{formatPrice(signal.stop, language, 0, signal.asset)}</dd>
      </div>
    </dl>
  );
}

export const CardRow = memo(function CardRow({
  signal,
  address,
  top,
  index,
  isOpen,
  isFresh,
  onFocus,
}: RowProps) {
  const t = useTexts();
  const isUnknown = signal.signal_type === 'UNKNOWN';
  return (
    <div
      role="listitem"
      aria-posinset={index + 1}
      className={styles.card}
      data-testid="signal-row"
      data-id={idOf(signal)}
      data-selected={isOpen}
      data-fresh={isFresh}
      style={{ transform: `translateY(${top}px)` }}
    >
      <RowLink signal={signal} address={address} onFocus={onFocus} className={styles.stretched}>
        <span className={styles.line}>
          <Side type={signal.signal_type} />
          {signal.asset !== null && <span className={styles.asset}>{signal.asset}</span>}
          {signal.trade_type !== null && (
            <span className={styles.soft}>{tradeText(signal.trade_type, t)}</span>
          )}
          <When signal={signal} />
        </span>
      </RowLink>
      {isUnknown ? (
        <span className={classOf(styles.text, styles.excerpt)}>
          {signal.raw_message.replace(/\s+/g, ' ')}
        </span>
      ) : (
        <CardFacts signal={signal} />
      )}
      <span className={styles.line}>
        <span className={classOf(styles.text, styles.soft)}>{signal.channel}</span>
        <EditedChip signal={signal} />
        <LateChip signal={signal} />
      </span>
    </div>
  );
});
