/** Words and colours for the state of the services, in one place for badge and sidebar. */
import type { ApiHealth, GatewayHealth } from '../api/types.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import type { Connection } from '../live/stream.ts';

export type Tone = 'good' | 'wait' | 'bad' | 'none';

export interface Condition {
  tone: Tone;
  text: string;
}

interface Asked<T> {
  data: T | undefined;
  isError: boolean;
}

/** A stream that could not even begin, because the list before it did not come, is no longer "connecting". */
export function streamCondition(connection: Connection, api: Condition, t: Catalogue): Condition {
  switch (connection.state) {
    case 'idle':
    case 'connecting':
      if (api.tone === 'bad') return { tone: 'wait', text: t.connection.waiting };
      return { tone: 'none', text: t.connection.connecting };
    case 'live':
      return { tone: 'good', text: connection.isBack ? t.connection.back : t.connection.live };
    case 'waiting':
      return { tone: 'wait', text: t.connection.waiting };
    case 'offline':
      return { tone: 'wait', text: t.connection.offline };
  }
}

export function apiCondition({ data, isError }: Asked<ApiHealth>, t: Catalogue): Condition {
  if (isError) return { tone: 'bad', text: t.connection.down };
  if (!data) return { tone: 'none', text: t.connection.checking };
  if (!data.timescale) return { tone: 'bad', text: t.connection.storeDown };
  return { tone: data.status === 'ok' ? 'good' : 'wait', text: t.connection.ok };
}

export function gatewayCondition({ data, isError }: Asked<GatewayHealth>, t: Catalogue): Condition {
  if (isError) return { tone: 'bad', text: t.connection.down };
  if (!data) return { tone: 'none', text: t.connection.checking };
  if (data.transport === 'replay') return { tone: 'wait', text: t.connection.telegramReplay };
  if (data.telegram_connected === true) return { tone: 'good', text: t.connection.telegramOn };
  if (data.reconnecting === true) return { tone: 'wait', text: t.connection.telegramReconnecting };
  if (data.error === 'No transport configured') return { tone: 'bad', text: t.connection.telegramNone };
  return { tone: 'bad', text: t.connection.telegramOff };
}
