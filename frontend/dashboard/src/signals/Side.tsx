import { Clock, PencilLine } from 'lucide-react';
import type { Signal, SignalType } from '../api/types.ts';
import { useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { formatDuration } from '../lib/format.ts';
import { delayOf, isLate } from './delay.ts';
import styles from './Side.module.css';

const SHAPES: Record<SignalType, string> = { BUY: '▲', SELL: '▼', UNKNOWN: '•' };

export function sideText(type: SignalType, t: Catalogue): string {
  return { BUY: t.signals.buy, SELL: t.signals.sell, UNKNOWN: t.signals.unknown }[type];
}

/** Direction by shape, word and colour together. */
export function Side({ type }: { type: SignalType }) {
  const t = useTexts();
  return (
    <span className={styles.side} data-side={type}>
      <i aria-hidden>{SHAPES[type]}</i>
      {sideText(type, t)}
    </span>
  );
}

/** The delay in one unit, for a row; the panel tells it exactly. */
function roughly(ms: number): string {
  return formatDuration(ms).split('\u00a0').slice(0, 2).join('\u00a0');
}

export function LateChip({ signal }: { signal: Signal }) {
  const t = useTexts();
  if (!isLate(signal)) return null;
  const delay = delayOf(signal);
  return (
    <span className={styles.chip} data-tone="wait" title={t.signals.lateHint(formatDuration(delay))}>
      <Clock size={11} aria-hidden />
      <span>{t.signals.lateBy(roughly(delay))}</span>
    </span>
  );
}

export function EditedChip({ signal }: { signal: Signal }) {
  const t = useTexts();
  if (!signal.changed) return null;
  return (
    <span className={styles.chip} title={t.signals.editedHint}>
      <PencilLine size={11} aria-hidden />
      <span>{t.signals.edited}</span>
    </span>
  );
}
