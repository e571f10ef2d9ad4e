/**
 * A table of a few hundred rows at most: semantic, with a sticky head; on a phone the same facts in the same order as cards. The
 * list of signals has a table of its own, because it has no end.
 */
import { ArrowDown } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, type ReactNode } from 'react';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { useActions, type Action } from '../lib/actions.ts';
import { formatClock, formatDateTime, formatDayMonth } from '../lib/format.ts';
import { addressOf, followInPage, go, placeOf, useAddress } from '../lib/router.ts';
import { classOf } from './controls.tsx';
import styles from './table.module.css';

export interface Column<Row> {
  id: string;
  head: string;
  cell: (row: Row) => ReactNode;
  /** Share or length, as CSS has it for a column. */
  width?: string;
  kind?: 'number' | 'actions';
  /** Marks the order that the rows came in. */
  sorted?: 'descending';
  /** Left out where there is little room; cards have it. */
  isExtra?: boolean;
  /** On a card it has a line for itself, and needs no name. */
  isWide?: boolean;
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  isPhone: boolean;
  openKey?: string | null;
}

function clickLink(event: React.MouseEvent<HTMLElement>): void {
  const isControl = event.target instanceof Element && event.target.closest('a, button, input, label');
  const isMarking = window.getSelection()?.isCollapsed === false;
  if (!isControl && !isMarking) event.currentTarget.querySelector<HTMLElement>('[data-row-link]')?.click();
}

function CardFacts<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  const facts = columns.map(({ id, head, cell, isWide }) => ({ id, head, isWide, value: cell(row) }));
  return (
    <dl>
      {facts
        .filter(({ value }) => value !== false && value !== null)
        .map(({ id, head, isWide, value }) => (
          <div key={id} data-wide={isWide}>
            <dt className={isWide ? 'visually-hidden' : undefined}>{head}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Cards<Row>({ label, columns, rows, keyOf, openKey }: TableProps<Row>) {
  const [title, ...others] = columns;
  const facts = others.filter(({ kind }) => kind !== 'actions');
  const actions = others.filter(({ kind }) => kind === 'actions');
  return (
    <ul className={styles.cards} aria-label={label}>
      {rows.map((row) => (
        <li
          key={keyOf(row)}
          className={styles.card}
          data-testid="row"
          data-selected={openKey === keyOf(row)}
          onClick={clickLink}
        >
          <div className={styles.cardHead}>
            {title?.cell(row)}
            {actions.map(({ id, cell }) => (
              <span key={id} className={styles.cardActions}>
                {cell(row)}
              </span>
            ))}
          </div>
          <CardFacts columns={facts} row={row} />
        </li>
      ))}
    </ul>
  );
}

const cellClass = <Row,>({ kind, isExtra }: Column<Row>) =>
  classOf(kind === 'number' && styles.number, kind === 'actions' && styles.actions, isExtra && styles.extra);

export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, keyOf, isPhone, openKey } = props;
  if (isPhone) return <Cards {...props} />;
  return (
    <table className={styles.table} aria-label={label}>
      <colgroup>
        {columns.map((column) => (
          <col key={column.id} className={cellClass(column)} style={{ width: column.width }} />
        ))}
      </colgroup>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.id} scope="col" className={cellClass(column)} aria-sort={column.sorted}>
              <span>
                {column.head}
                {column.sorted && <ArrowDown size={11} aria-hidden />}
              </span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)} data-testid="row" data-selected={openKey === keyOf(row)} onClick={clickLink}>
            {columns.map((column) => (
              <td key={column.id} className={cellClass(column)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function SkeletonTable({ columns, isPhone }: { columns: number; isPhone: boolean }) {
  return (
    <div className={styles.bones} aria-hidden>
      {Array.from({ length: isPhone ? 8 : 20 }, (_, at) => (
        <div key={at} className={styles.boneRow}>
          {Array.from({ length: isPhone ? 2 : columns }, (_, cell) => (
            <i key={cell} className={styles.bone} />
          ))}
        </div>
      ))}
    </div>
  );
}

/** Day and minute; the year and the second are in its title. */
export function Moment({ time }: { time: string }) {
  const language = useLanguage();
  return (
    <time className={styles.soft} dateTime={time} title={formatDateTime(time, language)}>
      {formatDayMonth(time, language)} {formatClock(time, language)}
    </time>
  );
}

interface RowLinkProps {
  /** Name in the address under which the row is open, and the row's own value there. */
  param: string;
  id: string;
  label?: string;
  children: ReactNode;
}

/** Opens its row by adding it to the present address. */
export function RowLink({ param, id, label, children }: RowLinkProps) {
  const { path, query } = placeOf(useAddress());
  query.set(param, id);
  return (
    <a
      className={styles.link}
      href={addressOf(path, query)}
      data-row-link={id}
      aria-label={label}
      onClick={followInPage}
    >
      {children}
    </a>
  );
}

function step(by: 1 | -1, isOpen: boolean): void {
  const links = [...document.querySelectorAll<HTMLElement>('[data-row-link]')];
  const row = document.activeElement?.closest('[data-testid=row]');
  const open = document.querySelector('[data-testid=row][data-selected=true]');
  const from = links.findIndex(
    (link) => link === document.activeElement || (row ?? open)?.contains(link) === true,
  );
  const next = links[from < 0 ? 0 : Math.min(links.length - 1, Math.max(0, from + by))];
  if (!next) return;
  next.focus();
  next.closest('[data-testid=row]')?.scrollIntoView({ block: 'nearest' });
  if (isOpen && next instanceof HTMLAnchorElement) go(next.pathname + next.search, 'replace');
}

/** J and K walk the links of the rows; with a panel open they also change what it shows. */
export function useRowWalk(isOpen = false): void {
  const t = useTexts();
  const latest = useRef(isOpen);
  useEffect(() => {
    latest.current = isOpen;
  });
  const walk = useCallback((by: 1 | -1) => step(by, latest.current), []);
  const offered = useMemo<Action[]>(
    () => [
      { id: 'next', title: t.keys.next, group: 'action', keys: ['j'], run: () => walk(1) },
      { id: 'previous', title: t.keys.previous, group: 'action', keys: ['k'], run: () => walk(-1) },
    ],
    [t, walk],
  );
  useActions(offered);
}

/** The row that has the focus, by the value of its link. */
export function focusedRow(): string | null {
  const row = document.activeElement?.closest('[data-testid=row]');
  return row?.querySelector('[data-row-link]')?.getAttribute('data-row-link') ?? null;
}

export { styles as tableStyles };
