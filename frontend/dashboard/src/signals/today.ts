/** Today's signals, small: what the overview draws. Read once, then kept current by the stream. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { get } from '../api/client.ts';
import { idOf, type Signal } from '../api/types.ts';
import { dayOf, startOfDay } from '../lib/format.ts';
import { useNow } from '../lib/hooks.ts';
import { listen } from '../live/hub.ts';
import { isLate } from './delay.ts';
import type { Change } from './live.ts';

export interface Point {
  id: string;
  time: number;
  channelId: string;
  channel: string;
  side: 'BUY' | 'SELL';
  isLate: boolean;
}

/** The API's largest page: beyond it the picture shows the newest and says so. */
export const MOST_POINTS = 1_000;

export function pointOf(signal: Signal): Point | null {
  if (signal.signal_type === 'UNKNOWN') return null;
  return {
    id: idOf(signal),
    time: Date.parse(signal.ts),
    channelId: signal.channel_id ?? signal.channel, // a row of an older system has only the name
    channel: signal.channel,
    side: signal.signal_type,
    isLate: isLate(signal),
  };
}

export function withChange(
  points: readonly Point[],
  { kind, signal }: Change,
  day: string,
): readonly Point[] {
  const id = idOf(signal);
  const others = points.filter((point) => point.id !== id);
  const point = kind === 'deleted' || dayOf(signal.ts) !== day ? null : pointOf(signal);
  if (point === null) return others.length === points.length ? points : others;
  return [point, ...others].slice(0, MOST_POINTS);
}

export interface Lane {
  channelId: string;
  channel: string;
  points: Point[];
}

/** Busiest channels first; of equals, by name, so that lanes do not change places at each signal. */
export function lanesOf(points: readonly Point[]): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const point of points) {
    const { channelId, channel } = point;
    const lane = lanes.get(channelId) ?? { channelId, channel, points: [] };
    lane.points.push(point);
    lanes.set(channelId, lane);
  }
  return [...lanes.values()].sort(
    (a, b) => b.points.length - a.points.length || a.channel.localeCompare(b.channel),
  );
}

export function useToday() {
  const client = useQueryClient();
  const day = dayOf(useNow(60_000));
  const query = useQuery({
    queryKey: ['today', day],
    queryFn: async ({ signal }) => {
      const page = await get('/signals', { from: startOfDay(day), limit: MOST_POINTS }, signal);
      return page.data.map(pointOf).filter((point) => point !== null);
    },
    staleTime: Infinity,
    // Nobody keeps it current while it is not shown: shown again, it is read again.
    gcTime: 0,
    networkMode: 'always',
    retry: 3,
    refetchOnWindowFocus: false,
  });
  useEffect(
    () =>
      listen({
        onChange: (change) =>
          client.setQueryData<readonly Point[]>(['today', day], (now) => now && withChange(now, change, day)),
        onReset: () => void client.invalidateQueries({ queryKey: ['today'] }),
      }),
    [client, day],
  );
  return { day, points: query.data as readonly Point[] | undefined };
}
