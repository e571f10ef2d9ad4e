/** A spreadsheet of signals as Excel in Brazil opens it: `;` between cells, decimal comma, UTF-8 with its mark. */
import type { Signal } from '../api/types.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { formatDateTime } from '../lib/format.ts';
import type { Language } from '../lib/preferences.ts';

const BYTE_ORDER_MARK = '\uFEFF';
const LINE_END = '\r\n';

/**
 * Quotes a cell where the format asks for it. A text that a spreadsheet would run as a formula gets an apostrophe in
 * front: messages come from strangers.
 */
export function csvCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[";\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Every digit the price has, without thousands marks: a number for the spreadsheet. Always pt-BR. */
export function csvNumber(value: number | null): string {
  if (value === null) return '';
  const text = value.toFixed(6).replace(/\.?0+$/, '');
  const [whole = '', fraction = ''] = text.split('.');
  return `${whole},${fraction.padEnd(2, '0')}`;
}

type Cell = (signal: Signal) => string;

function columnsOf(t: Catalogue, language: Language): [string, Cell][] {
  const side = { BUY: t.signals.buy, SELL: t.signals.sell, UNKNOWN: t.signals.unknown };
  return [
    [t.columns.ts, ({ ts }) => formatDateTime(ts, language)],
    [t.columns.channel, ({ channel }) => csvCell(channel)],
    [t.columns.type, ({ signal_type: type }) => side[type]],
    [t.columns.asset, ({ asset }) => csvCell(asset ?? '')],
    [t.columns.trade, ({ trade_type: trade }) => trade ?? ''],
    [t.columns.buyMin, (signal) => csvNumber(signal.buy_min)],
    [t.columns.buyMax, (signal) => csvNumber(signal.buy_max)],
    [t.columns.target1, (signal) => csvNumber(signal.target_1)],
    [t.columns.target2, (signal) => csvNumber(signal.target_2)],
    [t.columns.targetFinal, (signal) => csvNumber(signal.target_final)],
    [t.columns.stop, (signal) => csvNumber(signal.stop)],
    [t.filters.complete, ({ complete }) => (complete ? t.export.yes : t.export.no)],
    [t.panel.stored, (signal) => formatDateTime(signal.ingested_at, language)],
    [t.panel.message, (signal) => csvCell(signal.raw_message)],
  ];
}

export function toCsv(signals: readonly Signal[], t: Catalogue, language: Language): string {
  const columns = columnsOf(t, language);
  const head = columns.map(([name]) => csvCell(name)).join(';');
  const lines = signals.map((signal) => columns.map(([, cell]) => cell(signal)).join(';'));
  return BYTE_ORDER_MARK + [head, ...lines].join(LINE_END) + LINE_END;
}
