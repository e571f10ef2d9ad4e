/** An invented row for unit tests. */
import type { Signal } from '../api/types.ts';

export function aSignal(part: Partial<Signal> = {}): Signal {
  const seq = part.seq ?? 1;
  return {
    id: seq,
    seq,
    revision: 0,
    changed: false,
    ts: '2026-11-23T13:00:00Z',
    ingested_at: '2026-11-23T13:00:01Z',
    channel: 'Sala de Swing',
    channel_id: '-1001234567890',
    message_id: 42,
    asset: 'ITUB4',
    signal_type: 'BUY',
    trade_type: 'Swing Trade',
    price: 31.4,
    buy_min: 31.4,
    buy_max: 31.4,
    target_1: 32.1,
    target_2: 33,
    target_final: 33,
    take_profit: [32.1, 33],
    stop: 30.55,
    stop_loss: 30.55,
    complete: true,
    raw_message: 'COMPRA ITUB4\nEntrada: R$ 31,40',
    source: 'bot',
    ...part,
  };
}
