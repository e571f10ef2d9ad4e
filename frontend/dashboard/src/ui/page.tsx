/** What every page of the dashboard has: its title, the bar for old data, what stands in place of rows, and the foot. */
import { CircleAlert, SearchX, TriangleAlert } from 'lucide-react';
import { useEffect, type ReactNode } from 'react';
import { ApiError } from '../api/client.ts';
import { errorText } from '../api/errors.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { formatClock } from '../lib/format.ts';
import { useLasting } from '../lib/hooks.ts';
import { Button } from './controls.tsx';
import { BigState } from './notice.tsx';
import styles from './page.module.css';

export { styles as pageStyles };

const SKELETON_AFTER_MS = 150;

export function usePageTitle(title: string): void {
  const { appName } = useTexts();
  useEffect(() => {
    document.title = `${title} · ${appName}`;
  }, [title, appName]);
}

interface StaleBarProps {
  /** Since when what is on the screen may be old. */
  since: number;
  why: string;
  /** When the page tries again by itself, in words. */
  next?: string;
  onRetry: () => void;
}

export function StaleBar({ since, why, next, onRetry }: StaleBarProps) {
  const t = useTexts();
  const language = useLanguage();
  return (
    <div className={styles.stale} role="status" data-testid="stale">
      <TriangleAlert size={16} aria-hidden />
      <strong>{t.connection.staleSince(formatClock(since, language))}</strong>
      <span>{why}</span>
      {next !== undefined && <span aria-hidden>{next}</span>}
      <Button onClick={onRetry}>{t.retryNow}</Button>
    </div>
  );
}

/** What these parts need to know of a query; every react-query result has it. */
export interface Reading {
  isPending: boolean;
  failureReason: Error | null;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

/** For a list that is asked for again and again: the last reading failed, but there are rows of one before. */
export function StaleReading({ reading }: { reading: Reading }) {
  const t = useTexts();
  const { failureReason, dataUpdatedAt, isPending, refetch } = reading;
  if (failureReason === null || isPending) return null;
  return <StaleBar since={dataUpdatedAt} why={errorText(failureReason, t)} onRetry={() => void refetch()} />;
}

interface FailedProps {
  title: string;
  error: Error;
  retry: () => void;
  /** Replaces the general words for this error. */
  text?: string;
}

export function Failed({ title, error, retry, text }: FailedProps) {
  const t = useTexts();
  return (
    <BigState
      icon={<CircleAlert size={28} aria-hidden />}
      title={title}
      text={text ?? errorText(error, t)}
      {...(error instanceof ApiError && { small: t.requestId(error.requestId) })}
      action={{ label: t.retry, run: retry }}
    />
  );
}

export function NoMatch({ title, text, onClear }: { title: string; text: string; onClear: () => void }) {
  const t = useTexts();
  return (
    <BigState
      icon={<SearchX size={28} aria-hidden />}
      title={title}
      text={text}
      action={{ label: t.filters.clear, run: onClear }}
    />
  );
}

interface InsteadOptions {
  reading: Reading;
  hasRows: boolean;
  /** The rows on their way belong to other filters than the ones that are shown. */
  isChanging?: boolean;
  isFiltered: boolean;
  skeleton: ReactNode;
  failed: (error: Error, retry: () => void) => ReactNode;
  noMatch: ReactNode;
  empty: ReactNode;
}

/** What stands in place of rows when there are none; null when there are. */
export function useInstead(options: InsteadOptions): ReactNode {
  const { reading, hasRows, isChanging = false, isFiltered } = options;
  const { failureReason, isPending, refetch } = reading;
  const isLong = useLasting(isPending, SKELETON_AFTER_MS);
  if (hasRows) return null;
  if (failureReason) return options.failed(failureReason, () => void refetch());
  if (isPending || isChanging) return isLong ? options.skeleton : <span />;
  return isFiltered ? options.noMatch : options.empty;
}

export function Foot({ shown, children }: { shown: ReactNode; children?: ReactNode }) {
  return (
    <footer className={styles.foot}>
      <span data-testid="showing">{shown}</span>
      {children}
    </footer>
  );
}
