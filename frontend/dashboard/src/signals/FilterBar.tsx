import * as Popover from '@radix-ui/react-popover';
import { CalendarDays, Check, ChevronDown, Columns3, Download, Search, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { useNow } from '../lib/hooks.ts';
import { dayOf, formatCount, formatDate } from '../lib/format.ts';
import type { Language } from '../lib/preferences.ts';
import { columnsShown, columnWidths } from '../lib/preferences.ts';
import { setQuery } from '../lib/router.ts';
import { useStore } from '../lib/store.ts';
import { useChannels } from '../shell/Sidebar.tsx';
import { Button, classOf, controlStyles, IconButton, Key } from '../ui/controls.tsx';
import { Menu, MenuCheck, MenuChoices, MenuHeading, MenuItem, MenuRule } from '../ui/menu.tsx';
import { COLUMNS, type Layout } from './columns.ts';
import { exportSignals } from './exporting.ts';
import {
  addressChanges,
  clipBytes,
  isFiltered,
  NO_FILTERS,
  SEARCH_MAX_BYTES,
  TRADE_TYPES,
  type Filters,
} from './filters.ts';
import { tradeText } from './SignalRow.tsx';
import styles from './FilterBar.module.css';

const ANY = '';
const TYPING_MS = 250;

function change(filters: Filters, part: Partial<Filters>, how?: 'replace'): void {
  setQuery(addressChanges({ ...filters, ...part }), how);
}

/** A text that is typed freely and takes effect when the hand rests. */
function useTyped(value: string, apply: (text: string) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  if (known !== value) {
    // The address changed, perhaps by another way (back, a cleared filter): it wins over what stands in the field.
    setKnown(value);
    setTyped(value);
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => apply(text), TYPING_MS);
  };
  return [typed, type];
}

function SearchField({ filters }: { filters: Filters }) {
  const t = useTexts();
  const [typed, setTyped] = useTyped(filters.search, (search) => change(filters, { search }, 'replace'));
  return (
    <div className={styles.search}>
      <Search size={14} aria-hidden />
      <input
        id="search"
        type="search"
        value={typed}
        aria-label={t.filters.search}
        placeholder={t.filters.search}
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

function AssetField({ filters }: { filters: Filters }) {
  const t = useTexts();
  const [typed, setTyped] = useTyped(filters.asset, (asset) => change(filters, { asset }, 'replace'));
  return (
    <div className={styles.asset} data-active={filters.asset !== ''}>
      <input
        value={typed}
        aria-label={`${t.filters.asset}: ${t.filters.assetExact}`}
        placeholder={t.filters.asset}
        maxLength={20}
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value.toUpperCase().trim())}
      />
    </div>
  );
}

function Directions({ filters }: { filters: Filters }) {
  const t = useTexts();
  const choices = [
    { value: ANY, label: t.filters.anyType, shape: null },
    { value: 'BUY', label: t.filters.buys, shape: '▲' },
    { value: 'SELL', label: t.filters.sells, shape: '▼' },
    { value: 'UNKNOWN', label: t.filters.notices, shape: '•' },
  ];
  return (
    <div className={styles.segments} role="radiogroup" aria-label={t.filters.type}>
      {choices.map(({ value, label, shape }) => (
        <label key={value} data-side={value}>
          <input
            className="visually-hidden"
            type="radio"
            name="direction"
            checked={value === ANY ? filters.type === null : filters.type === value}
            onChange={() => change(filters, { type: value === ANY ? null : value })}
          />
          {shape !== null && <i aria-hidden>{shape}</i>}
          {label}
        </label>
      ))}
    </div>
  );
}

function ChannelMenu({ filters }: { filters: Filters }) {
  const t = useTexts();
  const language = useLanguage();
  const channels = useChannels().data?.data ?? [];
  const chosen = channels.find(({ channel_id: id }) => id === filters.channel);
  return (
    <Menu
      trigger={
        <Button active={filters.channel !== null}>
          <span className={styles.name}>{chosen?.channel ?? filters.channel ?? t.filters.channel}</span>
          <ChevronDown size={14} aria-hidden />
        </Button>
      }
    >
      <MenuChoices
        value={filters.channel ?? ANY}
        onChange={(value) => change(filters, { channel: value === ANY ? null : value })}
        choices={[
          { value: ANY, label: t.filters.anyChannel },
          ...channels.map(({ channel, channel_id: value, signal_count: signals }) => ({
            value,
            label: channel,
            aside: formatCount(signals, language),
          })),
        ]}
      />
    </Menu>
  );
}

function TradeMenu({ filters }: { filters: Filters }) {
  const t = useTexts();
  const chosen = TRADE_TYPES.find((name) => name === filters.type);
  return (
    <Menu
      trigger={
        <Button active={chosen !== undefined}>
          {chosen ? tradeText(chosen, t) : t.filters.tradeType}
          <ChevronDown size={14} aria-hidden />
        </Button>
      }
    >
      <MenuChoices
        value={chosen ?? ANY}
        onChange={(value) => change(filters, { type: value === ANY ? null : value })}
        choices={[
          { value: ANY, label: t.filters.anyTrade },
          ...TRADE_TYPES.map((value) => ({ value, label: value })),
        ]}
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

function periodName({ from, to }: Filters, t: Catalogue, language: Language): string {
  const preset = presetsOf(t).find((one) => one.from === from && one.to === to);
  if (from === null && to === null) return t.filters.period;
  if (preset) return preset.name;
  const name = (day: string) => formatDate(`${day}T12:00:00Z`, language);
  if (from !== null && to !== null) return `${name(from)} – ${name(to)}`;
  return from === null ? `${t.filters.to} ${name(to ?? '')}` : `${t.filters.from} ${name(from)}`;
}

function PeriodPicker({ filters }: { filters: Filters }) {
  const t = useTexts();
  const { from, to } = filters;
  const today = dayOf(useNow(null));
  const set = (part: Pick<Filters, 'from'> | Pick<Filters, 'to'>) => change(filters, part);
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
            <Button look="bare" onClick={() => change(filters, { from: preset.from, to: preset.to })}>
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
            onChange={(event) => set({ from: event.target.value || null })}
          />
        </label>
        <label>
          {t.filters.to}
          <input
            type="date"
            value={to ?? ''}
            max={today}
            onChange={(event) => set({ to: event.target.value || null })}
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

function Period({ filters }: { filters: Filters }) {
  const t = useTexts();
  const language = useLanguage();
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <Button active={filters.from !== null || filters.to !== null}>
          <CalendarDays size={14} aria-hidden />
          {periodName(filters, t, language)}
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <PeriodPicker filters={filters} />
      </Popover.Portal>
    </Popover.Root>
  );
}

function ColumnsMenu({ layout }: { layout: Layout }) {
  const t = useTexts();
  const wanted = useStore(columnsShown);
  return (
    <Menu
      align="end"
      trigger={
        <Button look="bare" aria-label={t.columns.menu} title={t.columns.menu}>
          <Columns3 size={16} aria-hidden />
        </Button>
      }
    >
      <MenuHeading>{t.columns.menu}</MenuHeading>
      {COLUMNS.map(({ id, yields }) => (
        <MenuCheck
          key={id}
          checked={yields === 0 || wanted[id] !== false}
          disabled={yields === 0}
          aside={layout.crowdedOut.has(id) ? t.columns.noRoom : undefined}
          onChange={(checked) => columnsShown.set((now) => ({ ...now, [id]: checked }))}
        >
          {t.columns[id]}
        </MenuCheck>
      ))}
      <MenuRule />
      <MenuItem
        onSelect={() => {
          columnsShown.set({});
          columnWidths.set({});
        }}
      >
        {t.columns.reset}
      </MenuItem>
    </Menu>
  );
}

function ExportMenu({ filters }: { filters: Filters }) {
  const t = useTexts();
  return (
    <Menu
      align="end"
      trigger={
        <Button look="bare" aria-label={t.export.label} title={t.export.label}>
          <Download size={16} aria-hidden />
        </Button>
      }
    >
      <MenuHeading>{t.export.allMatching}</MenuHeading>
      <MenuItem onSelect={() => void exportSignals(filters, 'csv')}>{t.export.csv}</MenuItem>
      <MenuItem onSelect={() => void exportSignals(filters, 'json')}>{t.export.json}</MenuItem>
    </Menu>
  );
}

export function clearFilters(): void {
  setQuery(addressChanges(NO_FILTERS));
}

interface FilterBarProps {
  filters: Filters;
  layout: Layout;
  isPhone: boolean;
}

export function FilterBar({ filters, layout, isPhone }: FilterBarProps) {
  const t = useTexts();
  return (
    <div className={styles.bar} role="search" aria-label={t.filters.label}>
      <SearchField filters={filters} />
      <Directions filters={filters} />
      <ChannelMenu filters={filters} />
      <TradeMenu filters={filters} />
      <AssetField filters={filters} />
      <Period filters={filters} />
      <Button
        active={filters.onlyComplete}
        aria-pressed={filters.onlyComplete}
        onClick={() => change(filters, { onlyComplete: !filters.onlyComplete })}
      >
        {t.filters.complete}
      </Button>
      {isFiltered(filters) && (
        <IconButton label={t.filters.clear} onClick={clearFilters}>
          <X size={16} aria-hidden />
        </IconButton>
      )}
      <span className={styles.space} />
      {!isPhone && <ColumnsMenu layout={layout} />}
      <ExportMenu filters={filters} />
    </div>
  );
}
