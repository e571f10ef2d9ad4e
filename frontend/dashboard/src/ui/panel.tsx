/** The panel beside a list, for one row of it. Which row is open stands in the address, under the page's own name for it. */
import { ChevronDown, ChevronUp, Link2, X } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { isOverlayOpen, runAction } from '../lib/actions.ts';
import { NARROW, useMedia } from '../lib/hooks.ts';
import { setQuery } from '../lib/router.ts';
import { toast } from '../lib/toast.ts';
import { Button, IconButton } from './controls.tsx';
import styles from './panel.module.css';

export { styles as panelStyles };

const rowLink = (id: string) => document.querySelector<HTMLElement>(`[data-row-link="${CSS.escape(id)}"]`);

/** Rows mark their link with data-row-link; its value is what the address says when the row is open. */
export function focusRow(id: string): void {
  rowLink(id)?.focus({ preventScroll: true });
}

/** Closes the panel and gives the focus back to the row it was opened from. */
export function closePanel(param: string, id: string): void {
  setQuery({ [param]: null });
  requestAnimationFrame(() => focusRow(id));
}

/** Escape closes the panel, unless it closes something above it or leaves a field. */
function useEscape(onClose: () => void): void {
  const latest = useRef(onClose);
  useEffect(() => {
    latest.current = onClose;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isField = event.target instanceof HTMLInputElement;
      if (event.key === 'Escape' && !event.defaultPrevented && !isOverlayOpen() && !isField) latest.current();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}

async function copyLink(t: Catalogue): Promise<void> {
  try {
    await navigator.clipboard.writeText(window.location.href);
    toast('done', t.linkCopied);
  } catch {
    toast('failed', t.copyFailed);
  }
}

interface PanelProps {
  label: string;
  title: ReactNode;
  steps: { previous: string; next: string };
  onClose: () => void;
  /** More buttons, before those that every panel has. */
  buttons?: ReactNode;
  children: ReactNode;
}

export function Panel({ label, title, steps, onClose, buttons, children }: PanelProps) {
  const t = useTexts();
  const panel = useRef<HTMLElement>(null);
  // Where it covers the list, the focus moves here.
  const isOver = useMedia(NARROW);
  useEffect(() => {
    if (isOver) panel.current?.focus();
  }, [isOver]);
  useEscape(onClose);
  return (
    <aside ref={panel} className={styles.panel} tabIndex={-1} aria-label={label} data-testid="panel">
      <header className={styles.head}>
        <h2>{title}</h2>
        {buttons}
        <IconButton label={steps.previous} keys={['K']} onClick={() => runAction('previous')}>
          <ChevronUp size={16} aria-hidden />
        </IconButton>
        <IconButton label={steps.next} keys={['J']} onClick={() => runAction('next')}>
          <ChevronDown size={16} aria-hidden />
        </IconButton>
        <IconButton label={t.copyLink} onClick={() => void copyLink(t)}>
          <Link2 size={16} aria-hidden />
        </IconButton>
        <Button look="bare" aria-label={t.close} onClick={onClose}>
          <X size={16} aria-hidden />
        </Button>
      </header>
      {children}
    </aside>
  );
}

export function PanelBody({ children }: { children: ReactNode }) {
  return (
    <div className={styles.body} tabIndex={0}>
      {children}
    </div>
  );
}

export function Section({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <section className={styles.section}>
      {title !== undefined && <h3>{title}</h3>}
      {children}
    </section>
  );
}

/** Names and values, one a line. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={styles.fields}>
      {facts.map(([name, value]) => (
        <div key={name} className={styles.field}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
