/** Stop, entry and targets on one line, to scale: how far the signal can lose and win is seen before it is read. */
import type { Signal } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { formatPrice } from '../lib/format.ts';
import { useWidth } from '../lib/hooks.ts';
import { useState } from 'react';
import { entryOf, ladderScale, targetsOf } from './prices.ts';
import styles from './DetailPanel.module.css';

const HEIGHT = 64;
const RAIL_Y = 32;
const EDGE = 6;
/** Labels closer than this to one already drawn on the same side are left out; the list below has them all. */
const LABEL_PX = 58;

interface Mark {
  x: number;
  label: string;
  kind: 'stop' | 'entry' | 'target';
}

const LABEL_CLASS = { stop: styles.stopText, entry: styles.entryText, target: styles.targetText };

function anchorAt(x: number, width: number): 'start' | 'middle' | 'end' {
  if (x < 40) return 'start';
  return x > width - 40 ? 'end' : 'middle';
}

function entryLabel({ buy_min: min, buy_max: max }: Signal, name: (price: number) => string): string {
  const ends = [min, max].filter((price) => price !== null);
  return [...new Set(ends)].map(name).join('–');
}

/** Entry and stop are written below the line, targets above, outermost first. */
function labelled(marks: readonly Mark[]): Mark[] {
  const taken: Mark[] = [];
  const side = (mark: Mark) => (mark.kind === 'target' ? 'above' : 'below');
  const rank = { entry: 0, stop: 1, target: 2 };
  const ordered = [...marks].reverse().sort((a, b) => rank[a.kind] - rank[b.kind]);
  for (const mark of ordered)
    if (!taken.some((other) => side(other) === side(mark) && Math.abs(other.x - mark.x) < LABEL_PX))
      taken.push(mark);
  return taken;
}

function Drawing({ signal, width }: { signal: Signal; width: number }) {
  const language = useLanguage();
  const entry = entryOf(signal);
  const targets = targetsOf(signal).map(({ value }) => value);
  const prices = [signal.stop, signal.buy_min, signal.buy_max, ...targets].filter((price) => price !== null);
  const scale = ladderScale(prices);
  const x = (price: number) => EDGE + scale(price) * (width - 2 * EDGE);
  const name = (price: number) => formatPrice(price, language, 0, signal.asset);
  const marks: Mark[] = targets.map((price) => ({
    x: x(price),
    label: name(price),
    kind: 'target' as const,
  }));
  if (signal.stop !== null) marks.push({ x: x(signal.stop), label: name(signal.stop), kind: 'stop' });
  if (entry !== null) marks.push({ x: x(entry), label: entryLabel(signal, name), kind: 'entry' });
  const farthest = signal.target_final;
  return (
    <>
      <line className={styles.rail} x1={EDGE} x2={width - EDGE} y1={RAIL_Y} y2={RAIL_Y} />
      {entry !== null && signal.stop !== null && (
        <line className={styles.risk} x1={x(entry)} x2={x(signal.stop)} y1={RAIL_Y} y2={RAIL_Y} />
      )}
      {entry !== null && farthest !== null && (
        <line className={styles.reward} x1={x(entry)} x2={x(farthest)} y1={RAIL_Y} y2={RAIL_Y} />
      )}
      {signal.buy_min !== null && (
        <rect
          className={styles.entryMark}
          x={x(signal.buy_min) - 1.5}
          y={RAIL_Y - 7}
          width={x(signal.buy_max ?? signal.buy_min) - x(signal.buy_min) + 3}
          height={14}
          rx={1.5}
        />
      )}
      {marks.map((mark, at) =>
        mark.kind === 'target' ? (
          <circle key={at} className={styles.targetMark} cx={mark.x} cy={RAIL_Y} r={4} />
        ) : (
          mark.kind === 'stop' && (
            <path key={at} className={styles.stopMark} d={`M${mark.x - 4} ${RAIL_Y - 4}l8 8m0 -8l-8 8`} />
          )
        ),
      )}
      {labelled(marks).map((mark) => (
        <text
          key={mark.kind + mark.label}
          className={LABEL_CLASS[mark.kind]}
          x={mark.x}
          y={mark.kind === 'target' ? 16 : HEIGHT - 8}
          textAnchor={anchorAt(mark.x, width)}
        >
          {mark.label}
        </text>
      ))}
    </>
  );
}

export function PriceLadder({ signal }: { signal: Signal }) {
  const t = useTexts();
  const language = useLanguage();
  const [element, setElement] = useState<HTMLElement | null>(null);
  const width = useWidth(element);
  const targets = targetsOf(signal).map(({ value }) => formatPrice(value, language));
  const spoken = [
    `${t.panel.stop} ${formatPrice(signal.stop, language)}`,
    `${t.panel.entry} ${formatPrice(entryOf(signal), language)}`,
    ...targets.map((price, at) => `${t.panel.target(at + 1)} ${price}`),
  ].join(', ');
  return (
    <div ref={setElement}>
      <svg className={styles.ladder} role="img" aria-label={t.panel.ladder(spoken)}>
        {width > 0 && <Drawing signal={signal} width={width} />}
      </svg>
    </div>
  );
}
