/** How queries wait for a service that is away: again and again, at the pace of the stream, for as long as the page is looked at. */
import { ApiError } from '../api/client.ts';
import { BACKOFF_MS } from './stream.ts';

export const patience = {
  networkMode: 'always',
  // What the service refuses it refuses again.
  retry: (_failures: number, error: Error) => !(error instanceof ApiError && error.kind === 'refused'),
  retryDelay: (failures: number) => BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 30_000,
} as const;
