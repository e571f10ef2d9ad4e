/** The list of signals begins the stream where its own rows end. Pages without that list begin it at the present. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { get } from '../api/client.ts';
import { texts } from '../i18n/index.ts';
import { announce } from '../lib/announce.ts';
import { useStore } from '../lib/store.ts';
import { stream } from './hub.ts';
import { patience } from './patience.ts';

/** A stream that came back also says so to those who do not see the badge. */
function useReconnectedWord(): void {
  const connection = useStore(stream.connection);
  const isBack = connection.state === 'live' && connection.isBack;
  const wasBack = useRef(false);
  useEffect(() => {
    if (isBack && !wasBack.current) announce(texts().connection.back);
    wasBack.current = isBack;
  }, [isBack]);
}

export function useStream(isListElsewhere: boolean): void {
  const isIdle = useStore(stream.connection).state === 'idle';
  const { data } = useQuery({
    queryKey: ['stream', 'start'],
    queryFn: ({ signal }) => get('/signals', { limit: 1 }, signal),
    enabled: isListElsewhere && isIdle,
    gcTime: 0,
    refetchOnWindowFocus: false,
    ...patience,
  });
  useEffect(() => {
    if (isListElsewhere && data) stream.start(data.position);
  }, [isListElsewhere, data]);
  useReconnectedWord();
}
