/** Signals by day as columns, sales on purchases. A pointer or the arrows choose a day; a click or Enter opens its list. */
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { formatCount, formatDate, formatDayMonth } from '../lib/format.ts';
import { useMedia, useWidth } from '../lib/hooks.ts';
import { theme } from '../lib/preferences.ts';
import { useStore } from '../lib/store.ts';
import { columnAt, LEFT_PX, RIGHT_PX, scaleOf, stacked, stepsTo, type Day } from './days.ts';
import styles from './DayChart.module.css';

const HEIGHT_PX = 220;
const TOP_PX = 10;
const BOTTOM_PX = 26;
const MOST_LINES = 4;
const AXIS_FONT = "11px 'Inter Variable', system-ui, sans-serif";

/** Noon, so that the day is the same in every zone that reads it as São Paulo's. */
const noonOf = ({ day }: Day) => `${day}T15:00:00Z`;

interface Colours {
  buy: string;
  sell: string;
  text: string;
  line: string;
}

/** The canvas knows no custom properties: the page's colours are asked of an element that has them. */
function coloursOf(element: HTMLElement): Colours {
  const ask = (name: string) => {
    const probe = document.createElement('i');
    probe.style.color = `var(--${name})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  return { buy: ask('buy'), sell: ask('sell'), text: ask('faint'), line: ask('hairline') };
}

function optionsOf(
  width: number,
  highest: number,
  labels: readonly string[],
  colours: Colours,
  format: (value: number) => string,
): uPlot.Options {
  const bars = uPlot.paths.bars?.({ size: [0.72, 48], radius: 0.08 });
  const lines = stepsTo(highest, MOST_LINES);
  const column = (fill: string): uPlot.Series => ({
    fill,
    width: 0,
    points: { show: false },
    ...(bars && { paths: bars }),
  });
  const axis = { stroke: colours.text, font: AXIS_FONT };
  return {
    width,
    height: HEIGHT_PX,
    padding: [TOP_PX, RIGHT_PX, 0, 0],
    legend: { show: false },
    cursor: { x: false, y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: [...scaleOf(labels.length)] },
      y: { range: [0, lines.at(-1) ?? 1] },
    },
    series: [{}, column(colours.sell), column(colours.buy)],
    axes: [
      {
        ...axis,
        space: 64,
        incrs: [1, 2, 5, 7, 14, 30, 60, 90, 180, 365],
        grid: { show: false },
        ticks: { show: false },
        gap: 4,
        size: BOTTOM_PX,
        values: (_, at) => at.map((index) => labels[index] ?? ''),
      },
      {
        ...axis,
        gap: 6,
        size: LEFT_PX,
        splits: () => lines,
        grid: { stroke: colours.line, width: 1 },
        ticks: { show: false },
        values: (_, values) => values.map((value) => format(value)),
      },
    ],
  };
}

function useChart(days: readonly Day[], onPoint: (index: number | null) => void) {
  const language = useLanguage();
  const chosenTheme = useStore(theme);
  const isDark = useMedia('(prefers-color-scheme: dark)');
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  const width = useWidth(element);
  const labels = useMemo(() => days.map((day) => formatDayMonth(noonOf(day), language)), [days, language]);

  useEffect(() => {
    if (!element || width === 0) return;
    const { at, total, buy } = stacked(days);
    const format = (value: number) => formatCount(value, language);
    const options = optionsOf(width, Math.max(...total), labels, coloursOf(element), format);
    const hooks = { setCursor: [(plot: uPlot) => onPoint(plot.cursor.idx ?? null)] };
    const chart = new uPlot({ ...options, hooks }, [at, total, buy], element);
    return () => chart.destroy();
    // The colours are other ones after a change of theme.
  }, [element, width, days, labels, language, onPoint, chosenTheme, isDark]);

  return { setElement, width };
}

interface TipProps {
  day: Day;
  left: number;
  side: 'left' | 'right';
}

function Tip({ day, left, side }: TipProps) {
  const t = useTexts();
  const language = useLanguage();
  return (
    <>
      <i className={styles.mark} aria-hidden style={{ left }} />
      <div className={styles.tip} data-side={side} style={{ left }}>
        <strong>{formatDate(noonOf(day), language)}</strong>
        <span>{t.overview.signals(day.signals)}</span>
        <span className={styles.buy}>▲ {t.overview.buys(day.buy)}</span>
        <span className={styles.sell}>▼ {t.overview.sells(day.sell)}</span>
      </div>
    </>
  );
}

interface DayChartProps {
  days: readonly Day[];
  onOpen: (day: Day) => void;
}

export function DayChart({ days, onOpen }: DayChartProps) {
  const t = useTexts();
  const language = useLanguage();
  const [at, setAt] = useState<number | null>(null);
  const isPointed = useRef(false);
  // Without a pointer on the canvas its cursor is nowhere; that must not take away what the arrows chose.
  const onPoint = useCallback((index: number | null) => {
    if (isPointed.current) setAt(index);
  }, []);
  const { setElement, width } = useChart(days, onPoint);
  const last = days.length - 1;
  const index = at === null ? last : Math.min(at, last);
  const day = days[index];
  const left = columnAt(index, days.length, width);
  const text =
    day &&
    t.statistics.onDay(
      formatDate(noonOf(day), language),
      t.overview.signals(day.signals),
      t.overview.buys(day.buy),
      t.overview.sells(day.sell),
    );

  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: last }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt(Math.min(last, Math.max(0, step)));
    } else if (event.key === 'Enter' && day) onOpen(day);
  };

  return (
    <div
      className={styles.chart}
      role="slider"
      tabIndex={0}
      aria-label={`${t.statistics.byDay}. ${t.statistics.chartKeys}`}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={index}
      aria-valuetext={text}
      data-testid="day-chart"
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        if (event.currentTarget.matches(':focus-visible')) setAt((now) => now ?? last);
      }}
      onBlur={() => setAt(null)}
      onPointerEnter={() => (isPointed.current = true)}
      onPointerLeave={() => {
        isPointed.current = false;
        setAt(null);
      }}
      onClick={() => {
        if (at !== null && day) onOpen(day);
      }}
    >
      <div ref={setElement} className={styles.canvas} />
      {width > 0 && at !== null && day && (
        <Tip day={day} left={left} side={left > width / 2 ? 'left' : 'right'} />
      )}
    </div>
  );
}
