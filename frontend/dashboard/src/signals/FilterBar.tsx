import { BarChart3, Columns3, Download, List } from 'lucide-react';
import { useMemo, type ReactNode } from 'react';
import { API_BASE, queryString } from '../api/client.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { useActions, type Action } from '../lib/actions.ts';
import { formatCount } from '../lib/format.ts';
import { useTyped } from '../lib/hooks.ts';
import type { Language } from '../lib/preferences.ts';
import { columnsShown, columnWidths } from '../lib/preferences.ts';
import { addressOf, followInPage, placeOf, setQuery, useAddress } from '../lib/router.ts';
import { useStore } from '../lib/store.ts';
import { useChannels } from '../shell/Sidebar.tsx';
import { Button, ButtonLink } from '../ui/controls.tsx';
import {
  ChoiceMenu,
  FilterRow,
  filterStyles,
  focusSearch,
  Period,
  SearchField,
  Segments,
} from '../ui/filters.tsx';
import { Menu, MenuCheck, MenuHeading, MenuItem, MenuLink, MenuRule } from '../ui/menu.tsx';
import { COLUMNS, type Layout } from './columns.ts';
import { addressChanges, apiQuery, isFiltered, NO_FILTERS, TRADE_TYPES, type Filters } from './filters.ts';
import { tradeText } from './SignalRow.tsx';

function change(filters: Filters, part: Partial<Filters>, how?: 'replace'): void {
  setQuery(addressChanges({ ...filters, ...part }), how);
}

function AssetField({ filters }: { filters: Filters }) {
  const t = useTexts();
  const [typed, setTyped] = useTyped(filters.asset, (asset) => change(filters, { asset }, 'replace'));
  return (
    <div className={filterStyles.asset} data-active={filters.asset !== ''}>
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
    { value: null, label: t.filters.anyType },
    { value: 'BUY', label: t.filters.buys, shape: '▲' },
    { value: 'SELL', label: t.filters.sells, shape: '▼' },
    { value: 'UNKNOWN', label: t.filters.notices, shape: '•' },
  ];
  const isTrade = TRADE_TYPES.some((name) => name === filters.type);
  return (
    <Segments
      label={t.filters.type}
      // A horizon is chosen in the menu beside: then none of these is.
      value={isTrade ? 'trade' : filters.type}
      choices={choices}
      onChange={(type) => change(filters, { type })}
    />
  );
}

/** Channels that have sent something, for every page that filters by one. */
export function ChannelMenu({
  value,
  onChange,
}: {
  value: string | null;
  onChange: (id: string | null) => void;
}) {
  const t = useTexts();
  const language = useLanguage();
  const channels = useChannels().data?.data ?? [];
  const chosen = channels.find(({ channel_id: id }) => id === value);
  return (
    <ChoiceMenu
      value={value}
      shown={chosen?.channel ?? value ?? t.filters.channel}
      any={t.filters.anyChannel}
      onChange={onChange}
      choices={channels.map(({ channel, channel_id: id, signal_count: signals }) => ({
        value: id,
        label: channel,
        aside: formatCount(signals, language),
      }))}
    />
  );
}

function TradeMenu({ filters }: { filters: Filters }) {
  const t = useTexts();
  const chosen = TRADE_TYPES.find((name) => name === filters.type);
  return (
    <ChoiceMenu
      value={chosen ?? null}
      shown={chosen ? tradeText(chosen, t) : t.filters.tradeType}
      any={t.filters.anyTrade}
      onChange={(type) => change(filters, { type })}
      choices={TRADE_TYPES.map((value) => ({ value, label: value }))}
    />
  );
}

export function ColumnsMenu({ layout }: { layout: Layout }) {
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

type ExportForm = 'csv' | 'json';

/** Where the service has the file; the browser downloads it like any other. */
function exportAddress(filters: Filters, format: ExportForm, language: Language): string {
  return `${API_BASE}/signals/export${queryString({ format, language, ...apiQuery(filters) })}`;
}

function ExportMenu({ filters }: { filters: Filters }) {
  const t = useTexts();
  const language = useLanguage();
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
      <MenuLink href={exportAddress(filters, 'csv', language)} download>
        {t.export.csv}
      </MenuLink>
      <MenuLink href={exportAddress(filters, 'json', language)} download>
        {t.export.json}
      </MenuLink>
    </Menu>
  );
}

/** The other view of the same filters. */
function OtherView({ to }: { to: 'list' | 'statistics' }) {
  const t = useTexts();
  const { query } = placeOf(useAddress());
  query.delete('signal');
  const [path, name, Icon] =
    to === 'list'
      ? (['/sinais', t.statistics.openList, List] as const)
      : (['/sinais/estatisticas', t.statistics.openStatistics, BarChart3] as const);
  return (
    <ButtonLink
      look="bare"
      href={addressOf(path, query)}
      aria-label={name}
      title={name}
      onClick={followInPage}
    >
      <Icon size={16} aria-hidden />
    </ButtonLink>
  );
}

function download(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  link.click();
}

function useFilterActions(filters: Filters): void {
  const t = useTexts();
  const language = useLanguage();
  const offered = useMemo<Action[]>(() => {
    const exporting = (format: ExportForm): Action => ({
      id: format,
      title: `${t.export.label}: ${t.export[format]}`,
      group: 'action',
      run: () => download(exportAddress(filters, format, language)),
    });
    return [
      { id: 'search', title: t.palette.focusSearch, group: 'action', keys: ['/'], run: focusSearch },
      { id: 'clear', title: t.filters.clear, group: 'action', run: clearFilters },
      exporting('csv'),
      exporting('json'),
    ];
  }, [t, language, filters]);
  useActions(offered);
}

export function clearFilters(): void {
  setQuery(addressChanges(NO_FILTERS));
}

interface FilterBarProps {
  filters: Filters;
  otherView: 'list' | 'statistics';
  children?: ReactNode;
}

export function FilterBar({ filters, otherView, children }: FilterBarProps) {
  const t = useTexts();
  useFilterActions(filters);
  return (
    <FilterRow
      onClear={isFiltered(filters) ? clearFilters : undefined}
      aside={
        <>
          <OtherView to={otherView} />
          {children}
          <ExportMenu filters={filters} />
        </>
      }
    >
      <SearchField
        label={t.filters.search}
        value={filters.search}
        onChange={(search) => change(filters, { search }, 'replace')}
      />
      <Directions filters={filters} />
      <ChannelMenu value={filters.channel} onChange={(channel) => change(filters, { channel })} />
      <TradeMenu filters={filters} />
      <AssetField filters={filters} />
      <Period range={filters} onChange={(range) => change(filters, range)} />
      <Button
        active={filters.onlyComplete}
        aria-pressed={filters.onlyComplete}
        onClick={() => change(filters, { onlyComplete: !filters.onlyComplete })}
      >
        {t.filters.complete}
      </Button>
    </FilterRow>
  );
}
