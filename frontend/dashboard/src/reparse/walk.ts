/**
 * Reading stored messages again, page after page. A walk compares, or adopts what differs; it can be stopped between two pages, and
 * then tells what it had done by then: what was adopted stays adopted.
 */
import { ApiError, type BodyOf } from '../api/client.ts';
import type { ReparseAnswer } from '../api/types.ts';

export type Difference = ReparseAnswer['data'][number];
export type ReparseBody = BodyOf<'/signals/reparse', 'post'>;

/** What is kept to be shown; the rest is counted. */
export const MOST_SHOWN = 500;
const ROWS_A_STEP = 500;

export interface Progress {
  scanned: number;
  changed: number;
  differences: readonly Difference[];
}

export type Outcome = Progress & ({ end: 'done' | 'stopped' } | { end: 'failed'; error: Error });

export const NO_PROGRESS: Progress = { scanned: 0, changed: 0, differences: [] };

interface WalkOptions {
  /** Channel and days. */
  scope: Pick<ReparseBody, 'channelId' | 'from' | 'to'>;
  adopt: boolean;
  ask: (body: ReparseBody, signal: AbortSignal) => Promise<ReparseAnswer>;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

export async function walk({ scope, adopt, ask, signal, onProgress }: WalkOptions): Promise<Outcome> {
  let progress = NO_PROGRESS;
  let cursor: string | null = null;
  try {
    do {
      if (signal.aborted) return { ...progress, end: 'stopped' };
      const answer: ReparseAnswer = await ask(
        { ...scope, adopt, limit: ROWS_A_STEP, ...(cursor !== null && { cursor }) },
        // A step that adopts is not torn: its answer tells what it changed.
        adopt ? new AbortController().signal : signal,
      );
      progress = {
        scanned: progress.scanned + answer.scanned,
        changed: progress.changed + answer.changed,
        differences: [...progress.differences, ...answer.data].slice(0, MOST_SHOWN),
      };
      onProgress(progress);
      // A cursor that does not move would never end.
      if (answer.nextCursor !== null && answer.nextCursor === cursor)
        throw new ApiError('broken', 200, 'cursor does not move', '');
      cursor = answer.nextCursor;
    } while (cursor !== null);
    return { ...progress, end: 'done' };
  } catch (error) {
    if (signal.aborted) return { ...progress, end: 'stopped' };
    return { ...progress, end: 'failed', error: error as Error };
  }
}

type FieldName = keyof ReparseAnswer['data'][number]['before'];

export interface FieldChange {
  /** The row, and the field within it. */
  key: string;
  difference: Difference;
  /** True on the first field of its row. */
  isFirst: boolean;
  field: string;
  before: Difference['before'][FieldName] | undefined;
  after: Difference['after'][FieldName] | undefined;
}

/** `price` and `stop` only repeat another field: whoever reads the table wants each change once. */
const REPEATED: Record<string, string> = { price: 'buy_min', stop: 'stop_loss' };

/** One line a field. */
export function fieldChanges(differences: readonly Difference[]): FieldChange[] {
  return differences.flatMap((difference) => {
    const { fields, before, after } = difference;
    const told = fields.filter((field) => !fields.includes(REPEATED[field] ?? ''));
    return told.map((field, at) => ({
      key: `${difference.id}-${field}`,
      difference,
      isFirst: at === 0,
      field,
      before: before[field as FieldName],
      after: after[field as FieldName],
    }));
  });
}
