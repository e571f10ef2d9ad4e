/** Channels or bots: the list, and its changes shown before the service has confirmed them. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { get, send, type BodyOf } from '../api/client.ts';
import type { Bot, Channel } from '../api/types.ts';
import { patience } from '../live/patience.ts';

const EVERY_MS = 30_000;

export interface Entries {
  '/telegram/channels': Channel;
  '/telegram/bots': Bot;
}
export type RegistryPath = keyof Entries;

const NONE: readonly never[] = [];

interface Answer<Row> {
  data: Row[];
}

export function useRegistry<P extends RegistryPath>(path: P) {
  type Row = Entries[P];
  const client = useQueryClient();
  const reading = useQuery({
    queryKey: ['registry', path],
    queryFn: async ({ signal }) => (await get(path, {}, signal)) as unknown as Answer<Row>,
    refetchInterval: EVERY_MS,
    ...patience,
  });

  /** Shows `after` at once and asks. A failure puts back what was there; either way the truth is read again. */
  const perform = useCallback(
    async (after: (rows: Row[]) => Row[], ask: () => Promise<unknown>) => {
      const queryKey = ['registry', path];
      // A reading on its way would bring back what was there before.
      await client.cancelQueries({ queryKey });
      const before = client.getQueryData<Answer<Row>>(queryKey);
      if (before) client.setQueryData<Answer<Row>>(queryKey, { ...before, data: after(before.data) });
      try {
        await ask();
      } catch (error) {
        client.setQueryData(queryKey, before);
        throw error;
      } finally {
        void client.invalidateQueries({ queryKey });
        void client.invalidateQueries({ queryKey: ['channels'] });
      }
    },
    [client, path],
  );

  const create = useCallback(
    (body: BodyOf<P, 'post'>) =>
      perform(
        (rows) => rows,
        () => send('post', path, body as never),
      ),
    [perform, path],
  );
  const update = useCallback(
    (id: string, changes: BodyOf<`${P}/{id}`, 'put'>) =>
      perform(
        (rows) => rows.map((row) => (row.id === id ? { ...row, ...(changes as Partial<Row>) } : row)),
        () => send('put', `${path}/{id}`, changes as never, { id }),
      ),
    [perform, path],
  );
  const remove = useCallback(
    (id: string) =>
      perform(
        (rows) => rows.filter((row) => row.id !== id),
        () => send('delete', `${path}/{id}`, undefined as never, { id }),
      ),
    [perform, path],
  );
  return { reading, rows: reading.data?.data ?? (NONE as readonly Row[]), create, update, remove };
}
