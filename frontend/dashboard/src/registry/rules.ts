/** What a channel or a bot must be like, said at its field before the service is asked; and the service's own word put there. */
import { ApiError, type BodyOf } from '../api/client.ts';
import type { Bot, Channel } from '../api/types.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';

export type ChannelBody = BodyOf<'/telegram/channels', 'post'>;
export type ChannelChanges = BodyOf<'/telegram/channels/{id}', 'put'>;
export type BotBody = BodyOf<'/telegram/bots', 'post'>;
export type BotChanges = BodyOf<'/telegram/bots/{id}', 'put'>;

/** All that a form has, in the form in which a change may have it, too. */
type Whole<Changes, Fields extends keyof Changes> = Required<Pick<Changes, Fields>>;

export interface ChannelDraft {
  label: string;
  channel_id: string;
  channel_type: Channel['channel_type'];
  description: string;
}

export interface BotDraft {
  username: string;
  /** Empty on an entry that exists: its token stays. */
  token: string;
  bot_type: string;
  description: string;
}

export type Problem =
  { kind: 'missing' | 'badChannelId' | 'badToken' | 'taken' | 'refused' } | { kind: 'tooLong'; most: number };

export type Problems<Draft> = Partial<Record<keyof Draft, Problem>>;

export function problemText(problem: Problem | undefined, t: Catalogue): string | undefined {
  if (!problem) return undefined;
  const words = t.registry.errors;
  return problem.kind === 'tooLong' ? words.tooLong(problem.most) : words[problem.kind];
}

const LABEL_MAX = 200;
const DESCRIPTION_MAX = 1_000;
const USERNAME_MAX = 100;
const BOT_TYPE_MAX = 50;
const INT64_MAX = 2n ** 63n - 1n;

/** Letters as the service counts them, not halves of an emoji. */
const lengthOf = (text: string) => Array.from(text).length;

function textProblem(text: string, most: number, isRequired: boolean): Problem | undefined {
  if (isRequired && text.trim() === '') return { kind: 'missing' };
  return lengthOf(text.trim()) > most ? { kind: 'tooLong', most } : undefined;
}

function channelIdProblem(text: string): Problem | undefined {
  if (text === '') return { kind: 'missing' };
  if (!/^-?\d{1,19}$/.test(text)) return { kind: 'badChannelId' };
  const id = BigInt(text);
  return id === 0n || id > INT64_MAX || id < -INT64_MAX - 1n ? { kind: 'badChannelId' } : undefined;
}

function tokenProblem(text: string, isNew: boolean): Problem | undefined {
  if (text === '') return isNew ? { kind: 'missing' } : undefined;
  return /^\d{5,20}:[A-Za-z0-9_-]{30,64}$/.test(text) ? undefined : { kind: 'badToken' };
}

/** Without the fields that are fine. */
function only<Draft>(problems: Record<keyof Draft, Problem | undefined>): Problems<Draft> {
  const found = Object.entries(problems).filter(([, problem]) => problem !== undefined);
  return Object.fromEntries(found) as Problems<Draft>;
}

export function channelProblems(draft: ChannelDraft): Problems<ChannelDraft> {
  return only<ChannelDraft>({
    label: textProblem(draft.label, LABEL_MAX, true),
    channel_id: channelIdProblem(draft.channel_id.trim()),
    channel_type: undefined,
    description: textProblem(draft.description, DESCRIPTION_MAX, false),
  });
}

export function botProblems(draft: BotDraft, isNew: boolean): Problems<BotDraft> {
  return only<BotDraft>({
    username: textProblem(draft.username.trim().replace(/^@/, ''), USERNAME_MAX, true),
    token: tokenProblem(draft.token.trim(), isNew),
    bot_type: textProblem(draft.bot_type, BOT_TYPE_MAX, true),
    description: textProblem(draft.description, DESCRIPTION_MAX, false),
  });
}

const describe = (text: string): string | null => (text.trim() === '' ? null : text.trim());

export function channelBody(
  draft: ChannelDraft,
): Whole<ChannelChanges, 'label' | 'channel_id' | 'channel_type' | 'description'> {
  return {
    label: draft.label.trim(),
    channel_id: draft.channel_id.trim(),
    channel_type: draft.channel_type,
    description: describe(draft.description),
  };
}

export function botBody(
  draft: BotDraft,
): Whole<BotChanges, 'username' | 'token' | 'bot_type' | 'description'> {
  return {
    username: draft.username.trim().replace(/^@/, ''),
    token: draft.token.trim(),
    bot_type: draft.bot_type.trim(),
    description: describe(draft.description),
  };
}

/** Only what differs from the entry: two people who edit different fields do not undo each other. */
export function changesOf<Body extends object>(entry: object, body: Body): Partial<Body> {
  const before = entry as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => before[name] !== value),
  ) as Partial<Body>;
}

export function channelChanges(entry: Channel, draft: ChannelDraft): ChannelChanges {
  return changesOf(entry, channelBody(draft));
}

export function botChanges(entry: Bot, draft: BotDraft): BotChanges {
  const { token, ...body } = botBody(draft);
  return { ...changesOf(entry, body), ...(token !== '' && { token }) };
}

/** The field that the service named, or the one that must be unique; null when it is about none of these. */
export function answerProblems<Draft extends object>(
  error: unknown,
  draft: Draft,
  unique: keyof Draft,
): Problems<Draft> | null {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 409) return { [unique]: { kind: 'taken' } } as Problems<Draft>;
  if (error.field === undefined || !Object.hasOwn(draft, error.field)) return null;
  return { [error.field]: { kind: 'refused' } } as Problems<Draft>;
}
