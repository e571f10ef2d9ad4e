/** What Canais and Bots have in common: list, filters, switch, form and removal. What differs comes as a `Kind`. */
import { Pencil, Plus, Trash2 } from 'lucide-react';
import { useCallback, useMemo, useState, type ReactNode } from 'react';
import { errorText } from '../api/errors.ts';
import { texts, useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { useActions, type Action } from '../lib/actions.ts';
import { PHONE, useMedia } from '../lib/hooks.ts';
import type { Language } from '../lib/preferences.ts';
import { isAnySet, oneOf, plain, searchOf } from '../lib/query.ts';
import { setQuery } from '../lib/router.ts';
import { toast } from '../lib/toast.ts';
import { Button, IconButton, Key, Switch } from '../ui/controls.tsx';
import { Confirm, Dialog } from '../ui/dialog.tsx';
import { FilterRow, focusSearch, SearchField, Segments } from '../ui/filters.tsx';
import { BigState } from '../ui/notice.tsx';
import { Failed, Foot, NoMatch, pageStyles, StaleReading, useInstead, usePageTitle } from '../ui/page.tsx';
import { focusedRow, RowLink, SkeletonTable, Table, useRowWalk, type Column } from '../ui/table.tsx';
import { useRegistry, type Entries, type RegistryPath } from './useRegistry.ts';

/** In the address: the id of the entry whose form is open, or NEW. */
const EDIT = 'edit';
const NEW = 'new';

type Registry<P extends RegistryPath> = ReturnType<typeof useRegistry<P>>;

export interface FormProps<P extends RegistryPath> {
  /** Null for a new one. */
  entry: Entries[P] | null;
  registry: Registry<P>;
  onDone: (name: string) => void;
  onCancel: () => void;
}

interface Words {
  tableLabel: string;
  create: string;
  createTitle: string;
  editTitle: string;
  removeTitle: (name: string) => string;
  removeText: string;
  emptyTitle: string;
  emptyText: string;
  noMatchTitle: string;
  showing: (n: number) => string;
}

export interface Kind<P extends RegistryPath> {
  path: P;
  title: (t: Catalogue) => string;
  words: (t: Catalogue) => Words;
  icon: ReactNode;
  nameOf: (entry: Entries[P]) => string;
  /** Texts that the search looks into. */
  searched: (entry: Entries[P]) => readonly (string | null)[];
  /** Columns between the name and the switch, and after it. */
  columns: (t: Catalogue, language: Language) => { middle: Column<Entries[P]>[]; end: Column<Entries[P]>[] };
  nameHead: (t: Catalogue) => string;
  Form: (props: FormProps<P>) => ReactNode;
  /** Another filter beside the status: its name in the address. */
  filter?: {
    param: string;
    label: (t: Catalogue) => string;
    choices: (t: Catalogue) => readonly { value: string; label: string }[];
    valueOf: (entry: Entries[P]) => string;
  };
}

const STATUSES = ['active', 'inactive'] as const;

function useFiltered<P extends RegistryPath>(
  kind: Kind<P>,
  rows: readonly Entries[P][],
  query: URLSearchParams,
) {
  const search = searchOf(query);
  const status = oneOf(query.get('status'), STATUSES);
  const extra = kind.filter ? query.get(kind.filter.param) : null;
  const words = plain(search).split(/\s+/).filter(Boolean);
  const shown = rows.filter((entry) => {
    if (status !== null && entry.status !== status) return false;
    if (extra !== null && kind.filter && kind.filter.valueOf(entry) !== extra) return false;
    const text = plain(kind.searched(entry).filter(Boolean).join(' '));
    return words.every((word) => text.includes(word));
  });
  const isFiltered = isAnySet({ search: search || null, status, extra });
  return { search, status, extra, shown, isFiltered };
}

function failure(what: string) {
  return (error: unknown) => {
    const t = texts();
    toast('failed', t.registry.failed(what, errorText(error as Error, t)));
  };
}

function useClear<P extends RegistryPath>({ filter }: Kind<P>): () => void {
  const param = filter?.param;
  return useCallback(
    () => setQuery({ search: null, status: null, ...(param !== undefined && { [param]: null }) }),
    [param],
  );
}

interface RowActionsProps {
  name: string;
  id: string;
  canEdit: boolean;
  onRemove: () => void;
}

function RowActions({ name, id, canEdit, onRemove }: RowActionsProps) {
  const t = useTexts();
  return (
    <>
      <IconButton label={t.editNamed(name)} disabled={!canEdit} onClick={() => setQuery({ [EDIT]: id })}>
        <Pencil size={14} aria-hidden />
      </IconButton>
      <IconButton label={t.removeNamed(name)} disabled={!canEdit} onClick={onRemove}>
        <Trash2 size={14} aria-hidden />
      </IconButton>
    </>
  );
}

interface ColumnOptions<P extends RegistryPath> {
  kind: Kind<P>;
  canEdit: boolean;
  onToggle: (entry: Entries[P], on: boolean) => void;
  onRemove: (entry: Entries[P]) => void;
}

function columnsOf<P extends RegistryPath>(
  { kind, canEdit, onToggle, onRemove }: ColumnOptions<P>,
  t: Catalogue,
  language: Language,
): Column<Entries[P]>[] {
  const { middle, end } = kind.columns(t, language);
  const words = t.registry;
  return [
    {
      id: 'name',
      head: kind.nameHead(t),
      cell: (entry) => (
        <RowLink param={EDIT} id={entry.id}>
          {kind.nameOf(entry)}
        </RowLink>
      ),
    },
    ...middle,
    {
      id: 'status',
      head: words.status.toUpperCase(),
      width: '112px',
      cell: (entry) => {
        const isOn = entry.status === 'active';
        const name = kind.nameOf(entry);
        return (
          <Switch
            on={isOn}
            label={isOn ? words.deactivate(name) : words.activate(name)}
            text={isOn ? words.active : words.inactive}
            disabled={!canEdit}
            onChange={(on) => onToggle(entry, on)}
          />
        );
      },
    },
    ...end,
    {
      id: 'actions',
      head: words.actions,
      width: '104px',
      kind: 'actions',
      cell: (entry) => (
        <RowActions
          id={entry.id}
          name={kind.nameOf(entry)}
          canEdit={canEdit}
          onRemove={() => onRemove(entry)}
        />
      ),
    },
  ];
}

interface Commands {
  words: Words;
  canEdit: boolean;
  clear: () => void;
  removeFocused: () => void;
}

const openNew = () => setQuery({ [EDIT]: NEW });

function usePageActions({ words, canEdit, clear, removeFocused }: Commands): void {
  const t = useTexts();
  const offered = useMemo<Action[]>(
    () => [
      { id: 'search', title: t.registry.search, group: 'action', keys: ['/'], run: focusSearch },
      { id: 'clear', title: t.filters.clear, group: 'action', run: clear },
      ...(canEdit
        ? ([
            { id: 'new', title: words.create, group: 'action', keys: ['c'], run: openNew },
            { id: 'remove', title: t.keys.delete, group: 'action', keys: ['delete'], run: removeFocused },
          ] as const)
        : []),
    ],
    [t, words, canEdit, clear, removeFocused],
  );
  useActions(offered);
}

interface EditorProps<P extends RegistryPath> {
  kind: Kind<P>;
  registry: Registry<P>;
  openId: string | null;
}

/** The form over the list. It stays open with what was typed until the service has taken it. */
function Editor<P extends RegistryPath>({ kind, registry, openId }: EditorProps<P>) {
  const t = useTexts();
  const words = kind.words(t);
  const { Form } = kind;
  const entry = registry.rows.find(({ id }) => id === openId) ?? null;
  // What is edited stays as it was when the form was opened, also while the list is read again.
  const [opened, setOpened] = useState<{ id: string | null; entry: Entries[P] | null }>({
    id: null,
    entry: null,
  });
  if (openId !== opened.id && (openId === null || openId === NEW || entry))
    setOpened({ id: openId, entry: openId === NEW ? null : entry });
  const close = () => setQuery({ [EDIT]: null });
  const isGone = openId !== null && openId !== opened.id && !registry.reading.isPending;
  return (
    <Dialog
      open={openId !== null && (openId === opened.id || isGone)}
      onClose={close}
      title={openId === NEW ? words.createTitle : words.editTitle}
    >
      {isGone ? (
        <p>{t.registry.gone}</p>
      ) : (
        <Form
          key={opened.id}
          entry={opened.entry}
          registry={registry}
          onCancel={close}
          onDone={(name) => {
            close();
            toast('done', t.registry.saved(name));
          }}
        />
      )}
    </Dialog>
  );
}

interface FiltersProps<P extends RegistryPath> {
  kind: Kind<P>;
  filtered: ReturnType<typeof useFiltered<P>>;
  canEdit: boolean;
  clear: () => void;
}

function RegistryFilters<P extends RegistryPath>({ kind, filtered, canEdit, clear }: FiltersProps<P>) {
  const t = useTexts();
  const isPhone = useMedia(PHONE);
  const { filter } = kind;
  return (
    <FilterRow
      onClear={filtered.isFiltered ? clear : undefined}
      isAsideFirst
      aside={
        <Button
          look="primary"
          disabled={!canEdit}
          title={canEdit ? undefined : t.connection.editsOff}
          onClick={openNew}
        >
          <Plus size={14} aria-hidden />
          {kind.words(t).create}
          {!isPhone && <Key>C</Key>}
        </Button>
      }
    >
      <SearchField
        label={t.registry.search}
        value={filtered.search}
        onChange={(text) => setQuery({ search: text || null }, 'replace')}
      />
      <Segments
        label={t.registry.status}
        value={filtered.status}
        onChange={(value) => setQuery({ status: value })}
        choices={[
          { value: null, label: t.registry.any },
          { value: 'active', label: t.registry.actives },
          { value: 'inactive', label: t.registry.inactives },
        ]}
      />
      {filter && (
        <Segments
          label={filter.label(t)}
          value={filtered.extra}
          onChange={(value) => setQuery({ [filter.param]: value })}
          choices={[{ value: null, label: t.registry.any }, ...filter.choices(t)]}
        />
      )}
    </FilterRow>
  );
}

interface RemovalProps<P extends RegistryPath> {
  kind: Kind<P>;
  entry: Entries[P] | null;
  onClose: () => void;
  remove: Registry<P>['remove'];
}

function Removal<P extends RegistryPath>({ kind, entry, onClose, remove }: RemovalProps<P>) {
  const t = useTexts();
  const words = kind.words(t);
  const name = entry ? kind.nameOf(entry) : '';
  return (
    <Confirm
      open={entry !== null}
      title={words.removeTitle(name)}
      text={words.removeText}
      action={t.remove}
      isDanger
      onClose={onClose}
      onConfirm={() => {
        if (entry) remove(entry.id).then(() => toast('done', t.registry.removed(name)), failure(name));
      }}
    />
  );
}

export function RegistryPage<P extends RegistryPath>({
  kind,
  query,
}: {
  kind: Kind<P>;
  query: URLSearchParams;
}) {
  const t = useTexts();
  const language = useLanguage();
  const isPhone = useMedia(PHONE);
  const words = kind.words(t);
  const registry = useRegistry(kind.path);
  const { reading, rows, update, remove } = registry;
  const canEdit = reading.failureReason === null;
  const filtered = useFiltered(kind, rows, query);
  const { shown, isFiltered } = filtered;
  const [removing, setRemoving] = useState<Entries[P] | null>(null);
  const clear = useClear(kind);

  const onToggle = (entry: Entries[P], on: boolean) => {
    const changes = { status: on ? 'active' : 'inactive' } as Parameters<typeof update>[1];
    update(entry.id, changes).catch(failure(kind.nameOf(entry)));
  };
  const columns = columnsOf({ kind, canEdit, onToggle, onRemove: setRemoving }, t, language);
  const removeFocused = useCallback(() => {
    const id = focusedRow();
    setRemoving(rows.find((entry) => entry.id === id) ?? null);
  }, [rows, setRemoving]);
  usePageTitle(kind.title(t));
  usePageActions({ words, canEdit, clear, removeFocused });
  useRowWalk();

  const instead = useInstead({
    reading,
    hasRows: shown.length > 0,
    isFiltered,
    skeleton: <SkeletonTable columns={columns.length} isPhone={isPhone} />,
    failed: (error, retry) => <Failed title={t.states.listErrorTitle} error={error} retry={retry} />,
    noMatch: <NoMatch title={words.noMatchTitle} text={t.states.widen} onClear={clear} />,
    empty: (
      <BigState
        icon={kind.icon}
        title={words.emptyTitle}
        text={words.emptyText}
        action={{ label: words.create, run: openNew }}
      />
    ),
  });

  return (
    <div className={pageStyles.page}>
      <StaleReading reading={reading} />
      <RegistryFilters {...{ kind, filtered, canEdit, clear }} />
      <div className={pageStyles.split}>
        <div className={pageStyles.scroll} aria-busy={reading.isFetching} tabIndex={-1}>
          {instead ?? (
            <Table
              label={words.tableLabel}
              columns={columns}
              rows={shown}
              keyOf={({ id }) => id}
              isPhone={isPhone}
            />
          )}
        </div>
      </div>
      <Foot shown={reading.data && words.showing(shown.length)} />
      <Editor kind={kind} registry={registry} openId={query.get(EDIT)} />
      <Removal kind={kind} entry={removing} remove={remove} onClose={() => setRemoving(null)} />
    </div>
  );
}
