/** What the page says to a person: toasts, the live region, and the big states of a list. */
import { CircleAlert, CircleCheck, Info, X } from 'lucide-react';
import { Component, type ErrorInfo, type ReactNode } from 'react';
import { texts, useTexts } from '../i18n/index.ts';
import { announcement } from '../lib/announce.ts';
import { useStore } from '../lib/store.ts';
import { dismiss, toasts } from '../lib/toast.ts';
import { Button, classOf, IconButton } from './controls.tsx';
import styles from './notice.module.css';

const ICONS = { info: Info, done: CircleCheck, failed: CircleAlert };

export function Toasts() {
  const t = useTexts();
  const shown = useStore(toasts);
  return (
    <div className={styles.toasts} role="status">
      {shown.map(({ id, tone, text }) => {
        const Icon = ICONS[tone];
        return (
          <div key={id} className={classOf(styles.toast, styles[tone])}>
            <Icon size={16} aria-hidden />
            <span>{text}</span>
            <IconButton label={t.close} onClick={() => dismiss(id)}>
              <X size={14} aria-hidden />
            </IconButton>
          </div>
        );
      })}
    </div>
  );
}

export function LiveRegion() {
  return (
    <div className="visually-hidden" aria-live="polite" data-testid="live-region">
      {useStore(announcement)}
    </div>
  );
}

interface StateProps {
  icon: ReactNode;
  title: string;
  text?: string;
  small?: string;
  action?: { label: string; run: () => void };
}

export function BigState({ icon, title, text, small, action }: StateProps) {
  return (
    <div className={styles.state}>
      {icon}
      <h2>{title}</h2>
      {text !== undefined && <p>{text}</p>}
      {small !== undefined && <small>{small}</small>}
      {action && (
        <Button look="primary" onClick={action.run}>
          {action.label}
        </Button>
      )}
    </div>
  );
}

/** A part that fails says so in its own place; the rest of the page lives on. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    const t = texts();
    return (
      <BigState
        icon={<CircleAlert size={24} aria-hidden />}
        title={t.states.crashTitle}
        text={t.states.crashText}
        action={{ label: t.retry, run: () => this.setState({ failed: false }) }}
      />
    );
  }
}
