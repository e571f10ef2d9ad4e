/** The row of filters above a list. Each tells its page what was chosen; the page keeps it in the address. */
import * as Popover from '@radix-ui/react-popover';
import { CalendarDays, Check, ChevronDown, Search, X } from 'lucide-react';
import { useId, type ReactNode } from 'react';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { dayOf, formatDate } from '../lib/format.ts';
import { useNow, useTyped } from '../lib/hooks.ts';
import type { Language } from '../lib/preferences.ts';
import { clipBytes, SEARCH_MAX_BYTES, type DayRange } from '../lib/query.ts';
import { Button, classOf, controlStyles, IconButton, Key } from './controls.tsx';
import { Menu, MenuChoices, type Choice } from './menu.tsx';
import styles from './filters.module.css';

export { styles as filterStyles };

/** Stands for "no choice": radio groups want a text. */
const ANY = '';
const SEARCH_ID = 'search';

interface FilterRowProps {
  /** Given when there is something to clear. */
  onClear: (() => void) | undefined;
  /** At the other end of the row. */
  aside?: ReactNode;
  /** It is what the page is for: on a phone, where the row is wider than the screen, it comes first. */
  isAsideFirst?: boolean;
  children: ReactNode;
}

export function FilterRow({ onClear, aside, isAsideFirst = false, children }: FilterRowProps) {
  const t = useTexts();
  return (
    <div className={styles.bar} role="search" aria-label={t.filters.label}>
      {children}
      {onClear && (
        <IconButton label={t.filters.clear} onClick={onClear}>
          <X size={16} aria-hidden />
        </IconButton>
      )}
      <span className={styles.space} />
      <div className={styles.aside} data-first={isAsideFirst}>
        {aside}
      </div>
    </div>
  );
}

export function focusSearch(): void {
  const field = document.getElementById(SEARCH_ID);
  if (field instanceof HTMLInputElement) {
    field.focus();
    field.select();
  }
}

interface SearchFieldProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
}

export function SearchField({ label, value, onChange }: SearchFieldProps) {
  const [typed, setTyped] = useTyped(value, onChange);
  return (
    <div className={styles.search}>
      <Search size={14} aria-hidden />
      <input
        id={SEARCH_ID}
        type="search"
        value={typed}
        aria-label={label}
        placeholder={label}
        onChange={(event) => setTyped(clipBytes(event.target.value, SEARCH_MAX_BYTES))}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' && event.key !== 'Enter') return;
          // The browser would empty the field on Escape; it only leaves it, so that J and K walk what was found.
          event.preventDefault();
          event.currentTarget.blur();
        }}
      />
      {typed === '' && <Key>/</Key>}
    </div>
  );
}

export interface Segment<T extends string> {
  value: T | null;
  label: string;
  shape?: string;
}

interface SegmentsProps<T extends string> {
  label: string;
  value: T | null;
  choices: readonly Segment<T>[];
  onChange: (value: T | null) => void;
}

export function Segments<T extends string>({ label, value, choices, onChange }: SegmentsProps<T>) {
  const name = useId();
  return (
    <div className={styles.segments} role="radiogroup" aria-label={label}>
      {choices.map((choice) => (
        <label key={choice.value ?? ANY} data-side={choice.value}>
          <input
            className="visually-hidden"
            type="radio"
            name={name}
            checked={value === choice.value}
            onChange={() => onChange(choice.value)}
          />
          {choice.shape !== undefined && <i aria-hidden>{choice.shape}</i>}
          {choice.label}
        </label>
      ))}
    </div>
  );
}

interface ChoiceMenuProps {
  value: string | null;
  /** On the button: the choice, or what is chosen here. */
  shown: string;
  /** Name of "no choice"; without it something is always chosen. */
  any?: string;
  choices: readonly Choice[];
  onChange: (value: string | null) => void;
}

export function ChoiceMenu({ value, shown, any, choices, onChange }: ChoiceMenuProps) {
  return (
    <Menu
      trigger={
        <Button active={any !== undefined && value !== null}>
          <span className={styles.name}>{shown}</span>
          <ChevronDown size={14} aria-hidden />
        </Button>
      }
    >
      <MenuChoices
        value={value ?? ANY}
        onChange={(next) => onChange(next === ANY ? null : next)}
        choices={any === undefined ? choices : [{ value: ANY, label: any }, ...choices]}
      />
    </Menu>
  );
}

const DAY_MS = 86_400_000;
const daysAgo = (days: number) => dayOf(Date.now() - days * DAY_MS);

function presetsOf(t: Catalogue) {
  return [
    { name: t.filters.anyTime, from: null, to: null },
    { name: t.filters.today, from: daysAgo(0), to: null },
    { name: t.filters.yesterday, from: daysAgo(1), to: daysAgo(1) },
    { name: t.filters.last7, from: daysAgo(6), to: null },
    { name: t.filters.last30, from: daysAgo(29), to: null },
  ];
}

function periodName({ from, to }: DayRange, t: Catalogue, language: Language): string {
  const preset = presetsOf(t).find((one) => one.from === from && one.to === to);
  if (from === null && to === null) return t.filters.period;
  if (preset) return preset.name;
  const name = (day: string) => formatDate(`${day}T12:00:00Z`, language);
  if (from !== null && to !== null) return from === to ? name(from) : `${name(from)} – ${name(to)}`;
  return from === null ? `${t.filters.to} ${name(to ?? '')}` : `${t.filters.from} ${name(from)}`;
}

interface PeriodProps {
  range: DayRange;
  onChange: (range: DayRange) => void;
}

function PeriodPicker({ range, onChange }: PeriodProps) {
  const t = useTexts();
  const { from, to } = range;
  const today = dayOf(useNow(null));
  return (
    <Popover.Content
      className={classOf(controlStyles.menu, styles.period)}
      aria-label={t.filters.period}
      align="start"
      sideOffset={4}
    >
      <div className={styles.presets}>
        {presetsOf(t).map((preset) => (
          <Popover.Close key={preset.name} asChild>
            <Button look="bare" onClick={() => onChange({ from: preset.from, to: preset.to })}>
              {preset.name}
              {preset.from === from && preset.to === to && <Check size={14} aria-hidden />}
            </Button>
          </Popover.Close>
        ))}
      </div>
      <div className={styles.dates}>
        <label>
          {t.filters.from}
          <input
            type="date"
            value={from ?? ''}
            max={today}
            onChange={(event) => onChange({ from: event.target.value || null, to })}
          />
        </label>
        <label>
          {t.filters.to}
          <input
            type="date"
            value={to ?? ''}
            max={today}
            onChange={(event) => onChange({ from, to: event.target.value || null })}
          />
        </label>
        {from !== null && to !== null && from > to && (
          <p className={styles.bad} role="alert">
            {t.filters.badRange}
          </p>
        )}
      </div>
    </Popover.Content>
  );
}

export function Period({ range, onChange }: PeriodProps) {
  const t = useTexts();
  const language = useLanguage();
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <Button active={range.from !== null || range.to !== null}>
          <CalendarDays size={14} aria-hidden />
          {periodName(range, t, language)}
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <PeriodPicker range={range} onChange={onChange} />
      </Popover.Portal>
    </Popover.Root>
  );
}
