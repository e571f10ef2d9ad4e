import { describe, expect, test } from 'vitest';
import type { ReparseAnswer } from '../api/types.ts';
import { aSignal } from '../testing/signal.ts';
import { fieldChanges, MOST_SHOWN, walk, type Difference, type Progress, type ReparseBody } from './walk.ts';

function aDifference(id: number, fields = ['target_1']): Difference {
  const before = aSignal();
  return {
    id,
    ts: before.ts,
    channel: before.channel,
    channel_id: before.channel_id,
    message_id: id,
    raw_message: before.raw_message,
    fields,
    before,
    after: { ...before, target_1: 32.5 },
  };
}

function page(ids: number[], nextCursor: string | null, adopted = false): ReparseAnswer {
  const data = ids.map((id) => aDifference(id));
  return { status: 'ok', adopted, scanned: 500, changed: ids.length, data, nextCursor };
}

/** A service that answers these pages in turn, and remembers what it was asked. */
function service(pages: (ReparseAnswer | Error)[]) {
  const asked: ReparseBody[] = [];
  const ask = (body: ReparseBody) => {
    const answer = pages[asked.push(body) - 1];
    return answer instanceof Error || !answer
      ? Promise.reject(answer ?? new Error('asked too often'))
      : Promise.resolve(answer);
  };
  return { asked, ask };
}

const { signal } = new AbortController();

describe('a walk', () => {
  test('goes from cursor to cursor to the end, and adds up', async () => {
    const { asked, ask } = service([page([1, 2], '500'), page([], '900'), page([901], null)]);
    const seen: Progress[] = [];
    const scope = { channelId: '-1001', from: '2026-11-01T00:00:00-03:00' };
    const outcome = await walk({
      scope,
      adopt: false,
      ask,
      signal,
      onProgress: (progress) => seen.push(progress),
    });
    expect(outcome).toMatchObject({ end: 'done', scanned: 1_500, changed: 3 });
    expect(outcome.differences.map(({ id }) => id)).toEqual([1, 2, 901]);
    expect(asked.map(({ cursor }) => cursor)).toEqual([undefined, '500', '900']);
    expect(asked.every((body) => body.channelId === '-1001' && body.adopt === false)).toBe(true);
    expect(seen.map(({ scanned }) => scanned)).toEqual([500, 1_000, 1_500]);
  });

  test('that is stopped says what it had seen', async () => {
    const abort = new AbortController();
    const { asked, ask } = service([page([1], '500'), page([2], null)]);
    const outcome = await walk({
      scope: {},
      adopt: true,
      ask,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    expect(outcome).toMatchObject({ end: 'stopped', scanned: 500, changed: 1 });
    expect(asked).toHaveLength(1);
  });

  test('that fails half way keeps what came before', async () => {
    const { ask } = service([page([1], '500'), new Error('away')]);
    const outcome = await walk({ scope: {}, adopt: true, ask, signal, onProgress: () => undefined });
    expect(outcome).toMatchObject({ end: 'failed', changed: 1, error: new Error('away') });
  });

  test('does not go round in circles', async () => {
    const { asked, ask } = service([page([], '500'), page([], '500'), page([], '500')]);
    const outcome = await walk({ scope: {}, adopt: false, ask, signal, onProgress: () => undefined });
    expect(outcome.end).toBe('failed');
    expect(asked).toHaveLength(2);
  });

  test('tears no step that adopts', async () => {
    const signals: AbortSignal[] = [];
    const abort = new AbortController();
    const ask = (_body: ReparseBody, given: AbortSignal) => {
      abort.abort();
      signals.push(given);
      return Promise.resolve(page([1], null, true));
    };
    const outcome = await walk({
      scope: {},
      adopt: true,
      ask,
      signal: abort.signal,
      onProgress: () => undefined,
    });
    expect(outcome).toMatchObject({ end: 'done', changed: 1 });
    expect(signals[0]?.aborted).toBe(false);
  });

  test('keeps a bounded number of differences, and counts them all', async () => {
    const many = Array.from({ length: MOST_SHOWN - 1 }, (_, at) => at + 1);
    const { ask } = service([page(many, '5'), page([9_001, 9_002, 9_003], null)]);
    const outcome = await walk({ scope: {}, adopt: false, ask, signal, onProgress: () => undefined });
    expect(outcome.changed).toBe(MOST_SHOWN + 2);
    expect(outcome.differences).toHaveLength(MOST_SHOWN);
  });
});

describe('fields', () => {
  test('are told once, also where another only repeats them', () => {
    const changes = fieldChanges([aDifference(7, ['price', 'buy_min', 'stop'])]);
    expect(changes.map(({ field, isFirst }) => [field, isFirst])).toEqual([
      ['buy_min', true],
      ['stop', false],
    ]);
  });

  test('carry what was and what would be', () =>
    expect(fieldChanges([aDifference(7)])[0]).toMatchObject({ before: 32.1, after: 32.5 }));
});
