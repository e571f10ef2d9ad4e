import { describe, expect, test } from 'vitest';
import { ApiError } from '../api/client.ts';
import { ptBR } from '../i18n/pt-BR.ts';
import {
  answerProblems,
  botBody,
  botChanges,
  botProblems,
  channelBody,
  channelChanges,
  channelProblems,
  problemText,
  type BotDraft,
  type ChannelDraft,
} from './rules.ts';

const CHANNEL: ChannelDraft = {
  label: 'Sala de Swing',
  channel_id: '-1001234567890',
  channel_type: 'source',
  description: '',
};
const BOT: BotDraft = {
  username: 'mesa_bot',
  token: `12345678:${'a'.repeat(35)}`,
  bot_type: 'Sender',
  description: '',
};
const STORED_CHANNEL = {
  id: 'channel-1',
  label: 'Sala de Swing',
  channel_id: '-1001234567890',
  channel_type: 'source',
  description: null,
  status: 'active',
  signal_count: 3,
  last_signal: null,
  created_at: '2026-11-23T13:00:00Z',
  updated_at: '2026-11-23T13:00:00Z',
} as const;
const STORED_BOT = {
  id: 'bot-1',
  username: 'mesa_bot',
  bot_type: 'Sender',
  description: 'Envia',
  status: 'active',
  has_token: true,
  token_fingerprint: '0123456789ab',
  created_at: '2026-11-23T13:00:00Z',
  updated_at: '2026-11-23T13:00:00Z',
} as const;

describe('a channel', () => {
  test('that is whole has no problem', () => expect(channelProblems(CHANNEL)).toEqual({}));

  test.each([
    [{ label: '   ' }, { label: { kind: 'missing' } }],
    [{ label: 'a'.repeat(201) }, { label: { kind: 'tooLong', most: 200 } }],
    [{ channel_id: '' }, { channel_id: { kind: 'missing' } }],
    [{ channel_id: '0' }, { channel_id: { kind: 'badChannelId' } }],
    [{ channel_id: '-0' }, { channel_id: { kind: 'badChannelId' } }],
    [{ channel_id: '@sala' }, { channel_id: { kind: 'badChannelId' } }],
    [{ channel_id: '9223372036854775808' }, { channel_id: { kind: 'badChannelId' } }],
    [{ description: 'a'.repeat(1_001) }, { description: { kind: 'tooLong', most: 1_000 } }],
  ])('with %o is told so', (part, problems) =>
    expect(channelProblems({ ...CHANNEL, ...part })).toEqual(problems),
  );

  test.each([
    { label: '📈'.repeat(200) },
    { channel_id: '9223372036854775807' },
    { channel_id: '-9223372036854775808' },
    { channel_id: ' -1001234567890 ' },
  ])('at the limit is fine: %o', (part) => expect(channelProblems({ ...CHANNEL, ...part })).toEqual({}));

  test('goes out trimmed, an empty description as none', () =>
    expect(channelBody({ ...CHANNEL, label: ' Sala ', description: '  ' })).toEqual({
      label: 'Sala',
      channel_id: '-1001234567890',
      channel_type: 'source',
      description: null,
    }));

  test('that is edited sends only what differs', () => {
    expect(channelChanges(STORED_CHANNEL, CHANNEL)).toEqual({});
    expect(channelChanges(STORED_CHANNEL, { ...CHANNEL, label: 'Mesa' })).toEqual({ label: 'Mesa' });
  });
});

describe('a bot', () => {
  test('needs a token when it is new, and keeps its own later', () => {
    expect(botProblems({ ...BOT, token: '' }, true)).toEqual({ token: { kind: 'missing' } });
    expect(botProblems({ ...BOT, token: '' }, false)).toEqual({});
    expect(botProblems({ ...BOT, token: 'segredo' }, false)).toEqual({ token: { kind: 'badToken' } });
  });

  test('named with @ or without is the same', () =>
    expect(botBody({ ...BOT, username: '@mesa_bot' }).username).toBe('mesa_bot'));

  test('named only @ has no name', () =>
    expect(botProblems({ ...BOT, username: '@' }, true)).toEqual({ username: { kind: 'missing' } }));

  test('that is edited sends a token only if one was typed', () => {
    const draft = { ...BOT, token: '', description: 'Envia' };
    expect(botChanges(STORED_BOT, draft)).toEqual({});
    expect(botChanges(STORED_BOT, { ...draft, token: BOT.token })).toEqual({ token: BOT.token });
  });
});

describe('the answer of the service', () => {
  const refusal = (status: number, field?: string) => new ApiError('refused', status, 'no', 'page-1', field);

  test('stands at the field it names', () =>
    expect(answerProblems(refusal(400, 'description'), CHANNEL, 'channel_id')).toEqual({
      description: { kind: 'refused' },
    }));

  test('that there is one already stands at the field that must be unique', () =>
    expect(answerProblems(refusal(409), CHANNEL, 'channel_id')).toEqual({ channel_id: { kind: 'taken' } }));

  test('about something else stands at no field', () => {
    expect(answerProblems(refusal(400, 'status'), CHANNEL, 'channel_id')).toBeNull();
    expect(answerProblems(refusal(401), CHANNEL, 'channel_id')).toBeNull();
    expect(answerProblems(new Error('x'), CHANNEL, 'channel_id')).toBeNull();
  });

  test('has words', () => {
    expect(problemText({ kind: 'tooLong', most: 200 }, ptBR)).toContain('200');
    expect(problemText({ kind: 'taken' }, ptBR)).toBe(ptBR.registry.errors.taken);
    expect(problemText(undefined, ptBR)).toBeUndefined();
  });
});
