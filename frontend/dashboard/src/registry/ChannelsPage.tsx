import { Radio } from 'lucide-react';
import { useId } from 'react';
import type { Channel } from '../api/types.ts';
import { useTexts } from '../i18n/index.ts';
import { formatCount, MISSING } from '../lib/format.ts';
import { followInPage } from '../lib/router.ts';
import { useChannels } from '../shell/Sidebar.tsx';
import { ChoiceField, Form, TextArea, TextField } from '../ui/form.tsx';
import { Moment, tableStyles } from '../ui/table.tsx';
import { RegistryPage, type FormProps, type Kind } from './RegistryPage.tsx';
import { channelBody, channelChanges, channelProblems, type ChannelDraft } from './rules.ts';
import { useForm } from './useForm.ts';

const TYPES = ['source', 'destination'] as const;

function draftOf(entry: Channel | null): ChannelDraft {
  return {
    label: entry?.label ?? '',
    channel_id: entry?.channel_id ?? '',
    channel_type: entry?.channel_type ?? 'source',
    description: entry?.description ?? '',
  };
}

function ChannelForm({ entry, registry, onDone, onCancel }: FormProps<'/telegram/channels'>) {
  const t = useTexts();
  const listId = useId();
  const known = new Set(registry.rows.map(({ channel_id: id }) => id));
  const seen = (useChannels().data?.data ?? []).filter(({ channel_id: id }) => !known.has(id));
  const { field, form } = useForm<ChannelDraft>({
    first: draftOf(entry),
    check: channelProblems,
    unique: 'channel_id',
    onDone: ({ label }) => onDone(label.trim()),
    save: async (draft) => {
      if (!entry) return registry.create(channelBody(draft));
      const changes = channelChanges(entry, draft);
      return Object.keys(changes).length > 0 ? registry.update(entry.id, changes) : undefined;
    },
  });
  const words = t.channels;
  return (
    <Form {...form} onCancel={onCancel}>
      <TextField label={words.label} {...field('label')} input={{ autoFocus: true }} />
      <TextField
        label={words.channelId}
        hint={words.channelIdHint}
        {...field('channel_id')}
        input={{ inputMode: 'numeric', spellCheck: false, list: listId }}
      />
      <datalist id={listId} aria-label={words.seen}>
        {seen.map(({ channel, channel_id: id }) => (
          <option key={id} value={id} label={channel} />
        ))}
      </datalist>
      <ChoiceField
        label={words.type}
        {...field('channel_type')}
        choices={TYPES.map((value) => ({ value, label: words.types[value] }))}
      />
      <TextArea label={t.registry.description} isOptional {...field('description')} />
    </Form>
  );
}

const CHANNELS: Kind<'/telegram/channels'> = {
  path: '/telegram/channels',
  title: (t) => t.nav.registry,
  words: (t) => t.channels,
  icon: <Radio size={28} aria-hidden />,
  nameOf: ({ label }) => label,
  nameHead: (t) => t.channels.columns.label,
  searched: ({ label, channel_id: id, description }) => [label, id, description],
  Form: ChannelForm,
  filter: {
    param: 'type',
    label: (t) => t.channels.type,
    choices: (t) => TYPES.map((value) => ({ value, label: t.channels.types[value] })),
    valueOf: ({ channel_type: type }) => type,
  },
  columns: (t, language) => {
    const { columns, types, signalsOf } = t.channels;
    return {
      middle: [
        {
          id: 'channelId',
          head: columns.channelId,
          isWide: true,
          width: '150px',
          cell: ({ channel_id: id }) => <span className={tableStyles.soft}>{id}</span>,
        },
        { id: 'type', head: columns.type, width: '84px', cell: ({ channel_type: type }) => types[type] },
      ],
      end: [
        {
          id: 'signals',
          head: columns.signals,
          width: '88px',
          kind: 'number',
          cell: ({ channel_id: id, label, signal_count: count }) => (
            <a
              href={`/sinais?channel=${encodeURIComponent(id)}`}
              aria-label={signalsOf(count, label)}
              onClick={followInPage}
            >
              {formatCount(count, language)}
            </a>
          ),
        },
        {
          id: 'last',
          head: columns.last,
          width: '120px',
          isExtra: true,
          cell: ({ last_signal: last }) =>
            last === null ? <span className={tableStyles.missing}>{MISSING}</span> : <Moment time={last} />,
        },
        {
          id: 'description',
          head: columns.description,
          isExtra: true,
          isWide: true,
          cell: ({ description }) =>
            description !== null && (
              <span className={tableStyles.soft} title={description}>
                {description}
              </span>
            ),
        },
      ],
    };
  },
};

export function ChannelsPage({ query }: { query: URLSearchParams }) {
  return <RegistryPage kind={CHANNELS} query={query} />;
}
