/** Spans, columns, prices, today's points: small functions of the Sinais page. */
import { describe, expect, test } from 'vitest';
import { aSignal } from '../testing/signal.ts';
import { COLUMNS, layOut } from './columns.ts';
import { outcomeOf, targetsOf } from './prices.ts';
import { piecesOf } from './spans.ts';
import { lanesOf, pointOf, withChange } from './today.ts';
import { checksOf } from './why.ts';

describe('pieces of a message', () => {
  const text = '🟢 COMPRA ação R$ 31,40';
  const span = (field: string, part: string) => {
    const start = new TextEncoder().encode(text.slice(0, text.indexOf(part))).length;
    return { field, start, end: start + new TextEncoder().encode(part).length, text: part };
  };

  test('are cut by bytes, also after letters that take several', () => {
    const pieces = piecesOf(text, [span('signal_type', 'COMPRA'), span('buy_min', 'R$ 31,40')]);
    expect(pieces).toEqual([
      { text: '🟢 ', field: null },
      { text: 'COMPRA', field: 'signal_type' },
      { text: ' ação ', field: null },
      { text: 'R$ 31,40', field: 'buy_min' },
    ]);
  });

  test.each([
    [[{ field: 'asset', start: 0, end: 999, text: '' }]],
    [[{ field: 'asset', start: 5, end: 5, text: '' }]],
    [[span('asset', 'ação'), { field: 'stop_loss', start: 14, end: 20, text: '' }]],
  ])('give back the whole text whatever the spans are', (spans) =>
    expect(
      piecesOf(text, spans)
        .map((piece) => piece.text)
        .join(''),
    ).toBe(text),
  );

  test('of an empty text are none', () => expect(piecesOf('', [])).toEqual([]));
});

describe('columns', () => {
  const ids = (room: number, widths = {}, wanted = {}) =>
    layOut(room, widths, wanted).shown.map(({ id }) => id);
  const total = (room: number, widths = {}) =>
    layOut(room, widths, {}).shown.reduce((sum, { width }) => sum + width, 0);

  test('are all there with room enough, and fill it exactly', () => {
    expect(ids(1400)).toEqual(COLUMNS.map(({ id }) => id));
    expect(total(1400)).toBe(1400);
  });

  test('shrink before they go', () => {
    expect(ids(1100)).toHaveLength(COLUMNS.length);
    expect(total(1100)).toBeLessThanOrEqual(1100);
  });

  test('go in their order, and are named', () => {
    const { shown, crowdedOut } = layOut(860, {}, {});
    expect([...crowdedOut]).toEqual(['trade', 'buyMax']);
    expect(shown.map(({ id }) => id)).toContain('stop');
  });

  test('that must stay, stay', () => expect(ids(200)).toEqual(['ts', 'type', 'asset', 'buyMin', 'stop']));

  test('that are hidden by choice leave, others only by need', () => {
    expect(ids(1400, {}, { target2: false })).not.toContain('target2');
    expect(ids(1400, {}, { ts: false })).toContain('ts');
  });

  test('keep the width they were given', () =>
    expect(layOut(1600, { asset: 200 }, {}).shown.find(({ id }) => id === 'asset')?.width).toBe(200));
});

describe('outcome', () => {
  test('of a buy', () => {
    const { risk, reward, ratio } = outcomeOf(
      aSignal({ buy_min: 100, buy_max: 100, stop: 95, target_final: 110 }),
    );
    expect([risk, reward, ratio]).toEqual([0.05, 0.1, 2]);
  });

  test('of a sale, where the stop lies above', () => {
    const sale = aSignal({ signal_type: 'SELL', buy_min: 100, buy_max: 100, stop: 105, target_final: 90 });
    expect(outcomeOf(sale).ratio).toBe(2);
  });

  test('has no ratio without a stop, or with one on the wrong side', () => {
    expect(outcomeOf(aSignal({ stop: null })).ratio).toBeNull();
    expect(outcomeOf(aSignal({ buy_min: 100, buy_max: 100, stop: 105 })).ratio).toBeNull();
  });
});

describe('targets', () => {
  const span = (field: string) => ({ field, start: 0, end: 1, text: '' });
  test('have the numbers of the message', () =>
    expect(
      targetsOf(aSignal({ take_profit: [1, 2, 3] }), [
        span('target_final'),
        span('target_3'),
        span('target_1'),
      ]),
    ).toEqual([
      { number: 1, value: 1, field: 'target_1' },
      { number: 3, value: 2, field: 'target_3' },
      { number: null, value: 3, field: 'target_final' },
    ]));
  test('are counted where the explanation does not fit', () =>
    expect(targetsOf(aSignal(), []).map(({ number }) => number)).toEqual([1, 2]));
});

describe('today', () => {
  const day = '2026-11-23';
  test('a message without signal is no point', () =>
    expect(pointOf(aSignal({ signal_type: 'UNKNOWN' }))).toBeNull());

  test('a row of an older system, without a number of its channel, is in the lane of the name', () =>
    expect(pointOf(aSignal({ channel_id: null, message_id: null, channel: 'Antiga' }))).toMatchObject({
      channelId: 'Antiga',
    }));

  test('events add, replace and remove points, and leave other days alone', () => {
    const one = withChange([], { kind: 'created', signal: aSignal({ seq: 1 }) }, day);
    const again = withChange(one, { kind: 'updated', signal: aSignal({ seq: 1, signal_type: 'SELL' }) }, day);
    expect(again).toMatchObject([{ id: '1', side: 'SELL' }]);
    expect(withChange(again, { kind: 'deleted', signal: aSignal({ seq: 1 }) }, day)).toEqual([]);
    const old = aSignal({ seq: 2, ts: '2026-11-20T13:00:00Z' });
    expect(withChange(again, { kind: 'created', signal: old }, day)).toBe(again);
  });

  test('the busiest channel comes first', () => {
    const point = (id: string, channelId: string) => ({
      id,
      channelId,
      channel: channelId,
      time: 0,
      side: 'BUY' as const,
      isLate: false,
    });
    const lanes = lanesOf([point('1', 'b'), point('2', 'a'), point('3', 'b')]);
    expect(lanes.map(({ channelId }) => channelId)).toEqual(['b', 'a']);
  });
});

describe('why', () => {
  const span = (field: string, text: string) => ({ field, start: 0, end: 1, text });
  const states = (...given: Parameters<typeof checksOf>) =>
    Object.fromEntries(checksOf(...given).map(({ name, state }) => [name, state]));

  test('a signal has passed every step, each with the words it rests on', () => {
    const spans = [span('signal_type', 'COMPRA'), span('asset', 'ITUB4'), span('stop_loss', '30,55')];
    const checks = checksOf(aSignal(), { rule: null, direction: 'word', spans });
    expect(checks.every(({ state }) => state === 'passed')).toBe(true);
    expect(checks.map((check) => check.span?.text)).toEqual([undefined, 'ITUB4', 'COMPRA', '30,55']);
  });

  test('a direction that was inferred has no words of its own', () => {
    const spans = [span('asset', 'ITUB4'), span('buy_min', '31,40'), span('stop_loss', '30,55')];
    const direction = checksOf(aSignal(), { rule: null, direction: 'entry_stop', spans })[2];
    expect(direction).toMatchObject({ name: 'direction', state: 'passed', span: null });
  });

  test.each([
    ['update_notice', { notice: 'failed', asset: 'passed', direction: 'skipped', value: 'skipped' }],
    ['no_direction', { notice: 'passed', asset: 'passed', direction: 'failed', value: 'skipped' }],
    ['no_value', { notice: 'passed', asset: 'passed', direction: 'passed', value: 'failed' }],
  ] as const)('%s failed at its own step, and what was found elsewhere still counts', (rule, expected) => {
    const spans = [span('asset', 'ITUB4')];
    expect(states(aSignal({ asset: null }), { rule, direction: null, spans })).toEqual(expected);
  });

  test('without an asset the price that was found is told', () =>
    expect(
      states(aSignal({ asset: null }), {
        rule: 'no_asset',
        direction: null,
        spans: [span('buy_min', '31,40')],
      }),
    ).toEqual({ notice: 'passed', asset: 'failed', direction: 'skipped', value: 'passed' }));
});
