import { expect, test } from 'vitest';
import { byChannel } from './Sidebar.tsx';

const entry = (channel: string, id: string, signals: number, last: string | null) => ({
  channel,
  channel_id: id,
  signal_count: signals,
  last_signal: last,
});

test('a channel that changed its name is one channel, with the signals of both', () => {
  const list = byChannel({
    source: 'timescale',
    timestamp: '2026-11-23T13:00:00Z',
    data: [
      entry('Mesa', '-1001', 7, '2026-11-20T13:00:00Z'),
      entry('Sala', '-1002', 5, null),
      entry('Mesa nova', '-1001', 2, '2026-11-23T13:00:00Z'),
    ],
  });
  expect(list.data).toEqual([
    entry('Mesa', '-1001', 9, '2026-11-23T13:00:00Z'),
    entry('Sala', '-1002', 5, null),
  ]);
});

test('a signal beats none', () => {
  const data = [entry('a', '-1', 0, null), entry('b', '-1', 1, '2026-11-23T13:00:00Z')];
  const list = { source: 'timescale' as const, timestamp: '2026-11-23T13:00:00Z', data };
  expect(byChannel(list).data[0]?.last_signal).toBe('2026-11-23T13:00:00Z');
  expect(byChannel({ ...list, data: [...data].reverse() }).data[0]?.last_signal).toBe('2026-11-23T13:00:00Z');
});
