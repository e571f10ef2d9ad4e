/**
 * A modal box. The veil is our own element and not the primitive's Overlay, because that one locks the page by a style
 * element, which our content security policy refuses; the page below does not scroll anyway.
 */
import * as Radix from '@radix-ui/react-dialog';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/index.ts';
import { Button } from './controls.tsx';
import styles from './dialog.module.css';

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** Without a head the title is only read aloud. */
  bare?: boolean;
  children: ReactNode;
}

export function Dialog({ open, onClose, title, bare = false, children }: DialogProps) {
  const t = useTexts();
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <div className={styles.veil}>
          <Radix.Content className={styles.box} aria-describedby={undefined}>
            {bare ? (
              <Radix.Title className="visually-hidden">{title}</Radix.Title>
            ) : (
              <div className={styles.head}>
                <Radix.Title asChild>
                  <span>{title}</span>
                </Radix.Title>
                {/* Without a tip: the focus begins here, and Escape would close the tip instead of the box. */}
                <Button look="bare" aria-label={t.close} onClick={onClose}>
                  <X size={16} aria-hidden />
                </Button>
              </div>
            )}
            {bare ? children : <div className={styles.body}>{children}</div>}
          </Radix.Content>
        </div>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  title: string;
  text: string;
  /** What will be done, as a verb. */
  action: string;
  isDanger?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** For what can't be undone. The focus begins on the way out. */
export function Confirm({ open, title, text, action, isDanger = false, onConfirm, onClose }: ConfirmProps) {
  const t = useTexts();
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <p>{text}</p>
      <div className={styles.buttons}>
        <Button autoFocus onClick={onClose}>
          {t.cancel}
        </Button>
        <Button
          look={isDanger ? 'danger' : 'primary'}
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
