import { Bot as BotIcon } from 'lucide-react';
import type { Bot } from '../api/types.ts';
import { useTexts } from '../i18n/index.ts';
import { Form, TextArea, TextField } from '../ui/form.tsx';
import { Moment, tableStyles } from '../ui/table.tsx';
import { RegistryPage, type FormProps, type Kind } from './RegistryPage.tsx';
import { botBody, botChanges, botProblems, type BotDraft } from './rules.ts';
import { useForm } from './useForm.ts';

/** The API's own default. */
const DEFAULT_TYPE = 'Sender';

function draftOf(entry: Bot | null): BotDraft {
  return {
    username: entry?.username ?? '',
    token: '',
    bot_type: entry?.bot_type ?? DEFAULT_TYPE,
    description: entry?.description ?? '',
  };
}

function BotForm({ entry, registry, onDone, onCancel }: FormProps<'/telegram/bots'>) {
  const t = useTexts();
  const { field, form } = useForm<BotDraft>({
    first: draftOf(entry),
    check: (draft) => botProblems(draft, entry === null),
    unique: 'username',
    onDone: ({ username }) => onDone(username.trim()),
    save: async (draft) => {
      if (!entry) return registry.create({ ...botBody(draft), status: 'active' });
      const changes = botChanges(entry, draft);
      return Object.keys(changes).length > 0 ? registry.update(entry.id, changes) : undefined;
    },
  });
  const words = t.bots;
  return (
    <Form {...form} onCancel={onCancel}>
      <TextField
        label={words.username}
        hint={words.usernameHint}
        {...field('username')}
        input={{ autoFocus: true, spellCheck: false, autoCapitalize: 'none' }}
      />
      <TextField
        label={words.token}
        isOptional={entry !== null}
        hint={
          entry === null ? (
            words.tokenHint
          ) : (
            <>
              {words.tokenKeep} {words.fingerprint}:{' '}
              <span className={tableStyles.mono}>{entry.token_fingerprint}</span>
            </>
          )
        }
        {...field('token')}
        input={{ type: 'password', autoComplete: 'off', spellCheck: false }}
      />
      <TextField label={words.type} hint={words.typeHint} {...field('bot_type')} />
      <TextArea label={t.registry.description} isOptional {...field('description')} />
    </Form>
  );
}

const BOTS: Kind<'/telegram/bots'> = {
  path: '/telegram/bots',
  title: (t) => t.nav.bots,
  words: (t) => t.bots,
  icon: <BotIcon size={28} aria-hidden />,
  nameOf: ({ username }) => `@${username}`,
  nameHead: (t) => t.bots.columns.username,
  searched: ({ username, bot_type: type, description, token_fingerprint: print }) => [
    username,
    type,
    description,
    print,
  ],
  Form: BotForm,
  columns: (t) => {
    const { columns } = t.bots;
    return {
      middle: [
        { id: 'type', head: columns.type, width: '16%', cell: ({ bot_type: type }) => type },
        {
          id: 'token',
          head: columns.token,
          width: '140px',
          cell: ({ token_fingerprint: print }) => (
            <span className={tableStyles.mono} title={t.bots.fingerprint}>
              {print}
            </span>
          ),
        },
      ],
      end: [
        {
          id: 'updated',
          head: columns.updated,
          width: '120px',
          isExtra: true,
          cell: ({ updated_at: at }) => <Moment time={at} />,
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

export function BotsPage({ query }: { query: URLSearchParams }) {
  return <RegistryPage kind={BOTS} query={query} />;
}
