import type { components } from './schema.ts';

type Schemas = components['schemas'];

export type Signal = Schemas['Signal'];
export type SignalType = Schemas['SignalType'];
export type SignalPage = Schemas['SignalPage'];
export type SignalDetail = Schemas['SignalDetail'];
export type Span = Schemas['Span'];
export type Explanation = Schemas['Explanation'];
export type ChannelList = Schemas['ChannelList'];
export type ForwardedMessage = Schemas['ForwardedMessage'];
export type Channel = Schemas['Channel'];
export type Bot = Schemas['Bot'];
export type ParsedSignal = Schemas['ParsedSignal'];
export type Counts = Schemas['Counts'];
export type Statistics = Schemas['Statistics'];
export type ReparseAnswer = Schemas['ReparseAnswer'];
export type ApiHealth = Schemas['Health'];

/** GET /health of the gateway, as far as the page reads it. The gateway has no OpenAPI file. */
export interface GatewayHealth {
  status: 'ok' | 'degraded' | 'error';
  telegram_connected?: boolean;
  reconnecting?: boolean;
  transport?: 'tdlib' | 'botapi' | 'replay' | null;
  channels?: number;
  outbox_size?: number;
  error?: string;
}

/** Ids beyond ±2^53 come as strings; the page compares and keys all of them as text. */
export const idOf = (signal: Pick<Signal, 'id'>): string => String(signal.id);
