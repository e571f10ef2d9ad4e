/** Today in two pictures: every signal on a line of time by channel, and how long signals take from message to screen. */
import { useState } from 'react';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { formatClock, formatClockSeconds, formatCount, formatLatency, startOfDay } from '../lib/format.ts';
import { useNow, useWidth } from '../lib/hooks.ts';
import { useStore } from '../lib/store.ts';
import { BIN_BOUNDS_MS, binned, latencies, medianOf } from '../live/latency.ts';
import { classOf } from '../ui/controls.tsx';
import { sideText } from './Side.tsx';
import { lanesOf, MOST_POINTS, useToday, type Lane, type Point } from './today.ts';
import styles from './Overview.module.css';

const HEIGHT = 106;
const AXIS_PX = 16;
const NAMES_PX = 136;
const MOST_LANES = 5;
const HOUR_MS = 3_600_000;

interface Span {
  from: number;
  to: number;
}

/** The hours that matter: from the first signal (or the market's opening at 9) to now, at least four hours. */
export function spanOf(points: readonly Point[], day: string, now: number): Span {
  const midnight = Date.parse(startOfDay(day));
  const first = points.reduce((least, { time }) => Math.min(least, time), now);
  const opening = midnight + 9 * HOUR_MS;
  const from = Math.max(midnight, Math.min(first, opening, now - 4 * HOUR_MS));
  return { from: Math.floor(from / HOUR_MS) * HOUR_MS, to: now + HOUR_MS / 12 };
}

function hoursIn({ from, to }: Span, width: number): number[] {
  const most = Math.max(2, Math.floor(width / 64));
  const hours = Math.ceil((to - from) / HOUR_MS);
  const step = [1, 2, 3, 4, 6, 12].find((each) => hours / each <= most) ?? 12;
  const marks = [];
  for (let time = from; time < to; time += step * HOUR_MS) marks.push(time);
  return marks;
}

function Tick({ point, x, y }: { point: Point; x: number; y: number }) {
  const t = useTexts();
  const language = useLanguage();
  const up = point.side === 'BUY';
  const shape = up ? `M${x} ${y - 4}l3.6 7h-7.2z` : `M${x} ${y + 4}l3.6 -7h-7.2z`;
  const late = point.isLate ? ` (${t.signals.late})` : '';
  return (
    <path className={classOf(up ? styles.buy : styles.sell, point.isLate && styles.late)} d={shape}>
      <title>{`${formatClockSeconds(point.time, language)} ${sideText(point.side, t)} · ${point.channel}${late}`}</title>
    </path>
  );
}

const shorten = (name: string) => (name.length > 20 ? `${name.slice(0, 19)}…` : name);

function Lanes({ lanes, span, width }: { lanes: Lane[]; span: Span; width: number }) {
  const t = useTexts();
  const language = useLanguage();
  const shown = lanes.length > MOST_LANES ? lanes.slice(0, MOST_LANES - 1) : lanes;
  const left = Math.min(NAMES_PX, width / 3);
  const x = (time: number) => left + ((time - span.from) / (span.to - span.from)) * (width - left - 8);
  const laneHeight = (HEIGHT - AXIS_PX) / MOST_LANES;
  const y = (lane: number) => laneHeight * (lane + 0.5);
  const bottom = HEIGHT - AXIS_PX;
  return (
    <>
      {hoursIn(span, width - left).map((time) => (
        <g key={time}>
          <line className={styles.hour} x1={x(time)} x2={x(time)} y1={0} y2={bottom} />
          <text x={x(time)} y={HEIGHT - 3} textAnchor="middle">
            {formatClock(time, language)}
          </text>
        </g>
      ))}
      {shown.map((lane, at) => (
        <g key={lane.channelId}>
          <text className={styles.name} x={0} y={y(at) + 4}>
            {shorten(lane.channel)}
          </text>
          <line className={styles.lane} x1={left} x2={width - 8} y1={y(at)} y2={y(at)} />
          {lane.points.map((point) => (
            <Tick key={point.id} point={point} x={x(point.time)} y={y(at)} />
          ))}
        </g>
      ))}
      {shown.length < lanes.length && (
        <text x={0} y={y(shown.length) + 4}>
          {t.overview.otherChannels(lanes.length - shown.length)}
        </text>
      )}
    </>
  );
}

function Timeline() {
  const t = useTexts();
  const language = useLanguage();
  const now = useNow(30_000);
  const [element, setElement] = useState<HTMLElement | null>(null);
  const width = useWidth(element);
  const { day, points: read } = useToday();
  const points = read ?? [];
  const buys = points.filter(({ side }) => side === 'BUY').length;
  const lates = points.filter(({ isLate }) => isLate).length;
  const summary = [
    t.overview.signals(points.length),
    t.overview.buys(buys),
    t.overview.sells(points.length - buys),
    lates > 0 && t.overview.lates(lates),
  ];
  return (
    <section className={styles.part} aria-label={t.overview.byChannel}>
      <div className={styles.head}>
        <h2>{t.overview.today}</h2>
        {points.length > 0 && (
          <>
            <span>{summary[0]}</span>
            <span className={styles.buys}>▲ {summary[1]}</span>
            <span className={styles.sells}>▼ {summary[2]}</span>
          </>
        )}
        {lates > 0 && <span className={styles.lates}>{summary[3]}</span>}
        {points.length >= MOST_POINTS && (
          <span>{t.overview.newestOnly(formatCount(MOST_POINTS, language))}</span>
        )}
      </div>
      <div className={styles.plot} ref={setElement}>
        {width > 0 && points.length > 0 && (
          <svg role="img" aria-label={`${t.overview.byChannel}: ${summary.filter(Boolean).join(', ')}`}>
            <Lanes lanes={lanesOf(points)} span={spanOf(points, day, now)} width={width} />
          </svg>
        )}
        {read?.length === 0 && <p className={styles.empty}>{t.overview.none}</p>}
      </div>
    </section>
  );
}

const BAR_GAP = 3;

function binNames(): string[] {
  const seconds = BIN_BOUNDS_MS.map((ms) => String(ms / 1000).replace('.', ','));
  return [...seconds.map((bound) => `< ${bound} s`), `≥ ${seconds.at(-1) ?? ''} s`];
}

function Bars({ values, width }: { values: readonly number[]; width: number }) {
  const t = useTexts();
  const bins = binned(values);
  const most = Math.max(1, ...bins);
  const step = width / bins.length;
  const bottom = HEIGHT - AXIS_PX;
  const names = binNames();
  return (
    <>
      {bins.map((count, at) => {
        const height = count === 0 ? 0 : Math.max(3, (count / most) * (bottom - 18));
        return (
          <g key={names[at]}>
            <rect
              className={styles.bar}
              x={at * step + BAR_GAP / 2}
              y={bottom - height}
              width={step - BAR_GAP}
              height={height}
              rx={1.5}
            >
              <title>{t.overview.bin(names[at] ?? '', count)}</title>
            </rect>
            {count > 0 && (
              <text x={(at + 0.5) * step} y={bottom - height - 4} textAnchor="middle">
                {count}
              </text>
            )}
            {at < BIN_BOUNDS_MS.length && (
              <text x={(at + 1) * step} y={HEIGHT - 3} textAnchor="middle">
                {String((BIN_BOUNDS_MS[at] ?? 0) / 1000).replace('.', ',')}
              </text>
            )}
          </g>
        );
      })}
      <line className={styles.base} x1={0} x2={width} y1={bottom} y2={bottom} />
      <text x={width} y={HEIGHT - 3} textAnchor="end">
        s
      </text>
    </>
  );
}

function Latency() {
  const t = useTexts();
  const language = useLanguage();
  const values = useStore(latencies);
  const [element, setElement] = useState<HTMLElement | null>(null);
  const width = useWidth(element);
  const median = medianOf(values);
  return (
    <section className={styles.part} aria-label={t.overview.latency}>
      <div className={styles.head}>
        <h2>{t.overview.latency}</h2>
        {median !== null && (
          <span className={styles.push}>
            {t.overview.median} {formatLatency(median, language)}
          </span>
        )}
      </div>
      <div className={styles.plot} ref={setElement}>
        {values.length === 0 ? (
          <p className={styles.empty}>{t.overview.latencyWaiting}</p>
        ) : (
          width > 0 && (
            <svg role="img" aria-label={`${t.overview.latency}: ${t.overview.measured(values.length)}`}>
              <Bars values={values} width={width} />
            </svg>
          )
        )}
      </div>
    </section>
  );
}

export function Overview() {
  const t = useTexts();
  return (
    <div className={styles.overview} role="region" aria-label={t.overview.label}>
      <Timeline />
      <Latency />
    </div>
  );
}
