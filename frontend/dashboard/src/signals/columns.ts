/** The table's columns: order, room, and which give way first when there is little of it. */
import type { Catalogue } from '../i18n/pt-BR.ts';

export type ColumnId = keyof Omit<Catalogue['columns'], 'menu' | 'noRoom' | 'resize' | 'reset'>;

export interface Column {
  id: ColumnId;
  width: number;
  min: number;
  /** Columns of the highest number are left out first; 0 always stays. */
  yields: number;
  isPrice: boolean;
}

export const COLUMNS: readonly Column[] = [
  { id: 'ts', width: 240, min: 152, yields: 0, isPrice: false },
  { id: 'channel', width: 112, min: 88, yields: 4, isPrice: false },
  { id: 'type', width: 100, min: 100, yields: 0, isPrice: false },
  { id: 'asset', width: 84, min: 76, yields: 0, isPrice: false },
  { id: 'trade', width: 68, min: 66, yields: 6, isPrice: false },
  { id: 'buyMin', width: 95, min: 95, yields: 0, isPrice: true },
  { id: 'buyMax', width: 97, min: 97, yields: 5, isPrice: true },
  { id: 'target1', width: 84, min: 80, yields: 2, isPrice: true },
  { id: 'target2', width: 84, min: 80, yields: 3, isPrice: true },
  { id: 'targetFinal', width: 90, min: 86, yields: 1, isPrice: true },
  { id: 'stop', width: 96, min: 92, yields: 0, isPrice: true },
];

export const MAX_COLUMN_WIDTH = 480;

export interface Layout {
  /** Ids in order, with their widths in px. */
  shown: { id: ColumnId; width: number }[];
  /** Wanted, but there is no room. */
  crowdedOut: ReadonlySet<ColumnId>;
}

/**
 * Fits the wanted columns in `room` px. First the ones that yield go, one by one; then, if it is still too narrow, all
 * shrink towards their minimum; what is left over goes to the channel, or else to the date.
 */
export function layOut(
  room: number,
  widths: Readonly<Record<string, number>>,
  wanted: Readonly<Record<string, boolean>>,
): Layout {
  let columns = COLUMNS.filter(({ id, yields }) => yields === 0 || wanted[id] !== false);
  const crowdedOut = new Set<ColumnId>();
  const widthOf = ({ id, width, min }: Column) => Math.max(min, widths[id] ?? width);
  const sum = (list: readonly Column[], of: (column: Column) => number) =>
    list.reduce((total, column) => total + of(column), 0);

  while (room > 0 && sum(columns, ({ min }) => min) > room) {
    const first = columns.reduce((most, column) => (column.yields > most.yields ? column : most));
    if (first.yields === 0) break;
    crowdedOut.add(first.id);
    columns = columns.filter((column) => column !== first);
  }

  const excess = Math.max(0, room > 0 ? sum(columns, widthOf) - room : 0);
  const slack = sum(columns, (column) => widthOf(column) - column.min);
  const shrink = slack > 0 ? Math.min(1, excess / slack) : 0;
  const shown = columns.map((column) => {
    const full = widthOf(column);
    return { id: column.id, width: Math.floor(full - (full - column.min) * shrink) };
  });

  const spare = room - shown.reduce((total, { width }) => total + width, 0);
  const taker = shown.find(({ id }) => id === 'channel') ?? shown[0];
  if (taker && spare > 0) taker.width += spare;
  return { shown, crowdedOut };
}
