/** Numbers and times as a trader in Brazil reads them; the language decides on marks, never on the time zone. */
import type { Language } from './preferences.ts';

export const TIME_ZONE = 'America/Sao_Paulo';
export const MISSING = '–';

/** Figure space: as wide as a digit where figures are tabular. Keeps decimals under each other. */
const FIGURE_SPACE = '\u2007';
const MIN_DECIMALS = 2;
const MAX_DECIMALS = 6;

const numberFormats = new Map<string, Intl.NumberFormat>();
const dateFormats = new Map<string, Intl.DateTimeFormat>();

function numberFormat(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language + JSON.stringify(options);
  let format = numberFormats.get(key);
  if (!format) numberFormats.set(key, (format = new Intl.NumberFormat(language, options)));
  return format;
}

function dateFormat(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let format = dateFormats.get(key);
  if (!format) {
    const all = { timeZone: TIME_ZONE, hourCycle: 'h23' as const, ...options };
    dateFormats.set(key, (format = new Intl.DateTimeFormat(language, all)));
  }
  return format;
}

export function decimalsOf(value: number): number {
  const text = value.toFixed(MAX_DECIMALS).replace(/0+$/, '');
  return Math.max(MIN_DECIMALS, text.length - text.indexOf('.') - 1);
}

/** Index and currency futures are quoted in points, everything else in reais. */
export function isQuotedInPoints(asset: string | null): boolean {
  return asset !== null && /^(?:WIN|IND|WDO|DOL)(?:FUT|[FGHJKMNQUVXZ]\d\d?)$/.test(asset);
}

/** As wide as a decimal mark. */
const PUNCTUATION_SPACE = '\u2008';

/**
 * Two decimals, or as many as the price has; whole points have none. `align` pads on the right to the decimals of the longest in a
 * column.
 */
export function formatPrice(
  value: number | null,
  language: Language,
  align = 0,
  asset: string | null = null,
): string {
  if (value === null) return MISSING;
  const isWhole = Number.isInteger(value) && isQuotedInPoints(asset);
  const text = numberFormat(language, {
    minimumFractionDigits: isWhole ? 0 : MIN_DECIMALS,
    maximumFractionDigits: MAX_DECIMALS,
  }).format(value);
  if (isWhole) return align === 0 ? text : text + PUNCTUATION_SPACE + FIGURE_SPACE.repeat(align);
  return text + FIGURE_SPACE.repeat(Math.max(0, align - decimalsOf(value)));
}

export function formatMoney(value: number | null, asset: string | null, language: Language): string {
  if (value === null) return MISSING;
  const text = formatPrice(value, language, 0, asset);
  return isQuotedInPoints(asset) ? `${text} pts` : `R$\u00a0${text}`;
}

export function formatCount(value: number, language: Language): string {
  return numberFormat(language, { maximumFractionDigits: 0 }).format(value);
}

export function formatPercent(ratio: number, language: Language): string {
  return numberFormat(language, {
    style: 'percent',
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
    signDisplay: 'exceptZero',
  }).format(ratio);
}

/** A part of a whole, in whole percent. */
export function formatShare(share: number, language: Language): string {
  return numberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

export function formatRatio(value: number, language: Language): string {
  return numberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);
}

export function formatClock(time: number | string, language: Language): string {
  return dateFormat(language, { hour: '2-digit', minute: '2-digit' }).format(new Date(time));
}

export function formatClockSeconds(time: number | string, language: Language): string {
  return dateFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(
    new Date(time),
  );
}

export function formatDayMonth(time: number | string, language: Language): string {
  return dateFormat(language, { day: '2-digit', month: '2-digit' }).format(new Date(time));
}

export function formatDate(time: number | string, language: Language): string {
  return dateFormat(language, { day: '2-digit', month: '2-digit', year: 'numeric' }).format(new Date(time));
}

export function formatDateTime(time: number | string, language: Language): string {
  return `${formatDate(time, language)} ${formatClockSeconds(time, language)}`;
}

/** Two units at most: `45 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return pair(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'min');
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  const first = `${big}\u00a0${bigUnit}`;
  return small === 0 ? first : `${first}\u00a0${small}\u00a0${smallUnit}`;
}

/** Latency: tenths of a second below ten, milliseconds below one tenth. */
export function formatLatency(ms: number, language: Language): string {
  if (ms >= 9_950) return formatDuration(ms);
  if (ms < 100) return `${Math.max(0, Math.round(ms))}\u00a0ms`;
  const text = numberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(
    ms / 1000,
  );
  return `${text}\u00a0s`;
}

const dayParts = new Intl.DateTimeFormat('en-CA', { timeZone: TIME_ZONE, dateStyle: 'short' });

/** The calendar day in São Paulo, `YYYY-MM-DD`. */
export function dayOf(time: number | string): string {
  return dayParts.format(new Date(time));
}

const offsetParts = new Intl.DateTimeFormat('en-US', { timeZone: TIME_ZONE, timeZoneName: 'longOffset' });

/** `-03:00`. Asked at noon of the day, where no change of clocks happens. */
function offsetOn(day: string): string {
  const parts = offsetParts.formatToParts(new Date(`${day}T12:00:00Z`));
  const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? 'GMT-03:00';
  return name === 'GMT' ? '+00:00' : name.slice(3);
}

/** First and last instant of a day in São Paulo, as the API reads them. */
export const startOfDay = (day: string): string => `${day}T00:00:00${offsetOn(day)}`;
export const endOfDay = (day: string): string => `${day}T23:59:59.999999${offsetOn(day)}`;
