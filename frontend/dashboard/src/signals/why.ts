/** Why a message is a signal or not, as the steps that the parser's rule names, in its order. */
import type { Explanation, Signal, Span } from '../api/types.ts';

export type CheckName = 'notice' | 'asset' | 'direction' | 'value';

export interface Check {
  name: CheckName;
  /** skipped: an earlier step had decided, and nothing was found for this one. */
  state: 'passed' | 'failed' | 'skipped';
  /** What it was read from; null where nothing was, or where prices were compared. */
  span: Span | null;
}

const ORDER: readonly CheckName[] = ['notice', 'asset', 'direction', 'value'];

const RULE_OF: Record<NonNullable<Explanation['rule']>, CheckName> = {
  update_notice: 'notice',
  no_asset: 'asset',
  no_direction: 'direction',
  no_value: 'value',
};

const isValue = (field: string) =>
  field.startsWith('buy_') || field.startsWith('target_') || field === 'stop_loss';

function spanOf(name: CheckName, spans: readonly Span[]): Span | null {
  const belongs: Record<CheckName, (field: string) => boolean> = {
    notice: (field) => field === 'update_notice',
    asset: (field) => field === 'asset',
    direction: (field) => field === 'signal_type',
    value: isValue,
  };
  return spans.find(({ field }) => belongs[name](field)) ?? null;
}

export function checksOf(signal: Pick<Signal, 'asset'>, explanation: Explanation): Check[] {
  const { rule, direction, spans } = explanation;
  const failed = rule === null ? null : RULE_OF[rule];
  const decidedAt = failed === null ? ORDER.length : ORDER.indexOf(failed);
  const isFound: Record<CheckName, boolean> = {
    notice: false,
    asset: signal.asset !== null || spanOf('asset', spans) !== null,
    direction: direction !== null,
    value: spanOf('value', spans) !== null,
  };
  return ORDER.map((name, at) => {
    const isPassed = at < decidedAt || isFound[name];
    const state = name === failed ? 'failed' : isPassed ? 'passed' : 'skipped';
    return { name, state, span: spanOf(name, spans) };
  });
}
