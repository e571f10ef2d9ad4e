/** Buttons, key caps and tips: the small parts that every page is made of. */
import * as Tooltip from '@radix-ui/react-tooltip';
import type { ComponentProps, ReactNode } from 'react';
import styles from './controls.module.css';

type Look = 'plain' | 'bare' | 'primary' | 'danger';

interface ButtonProps extends ComponentProps<'button'> {
  look?: Look;
  active?: boolean;
}

const classOf = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(' ');

export function Button({ look = 'plain', active, className, ...rest }: ButtonProps) {
  const lookClass = look !== 'plain' && styles[look];
  return (
    <button
      type="button"
      data-active={active}
      className={classOf(styles.button, lookClass, className)}
      {...rest}
    />
  );
}

/** A real link that looks like a button. */
export function ButtonLink({ look = 'plain', className, ...rest }: ComponentProps<'a'> & { look?: Look }) {
  const lookClass = look !== 'plain' && styles[look];
  return <a className={classOf(styles.button, lookClass, className)} {...rest} />;
}

interface SwitchProps {
  on: boolean;
  label: string;
  /** Beside the switch, for the eye. */
  text: string;
  disabled?: boolean;
  onChange: (on: boolean) => void;
}

export function Switch({ on, label, text, disabled, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      disabled={disabled}
      className={styles.switch}
      onClick={() => onChange(!on)}
    >
      <i aria-hidden />
      {text}
    </button>
  );
}

interface IconButtonProps extends ButtonProps {
  label: string;
  /** Shown beside the label in the tip. */
  keys?: readonly string[];
}

/** A button that shows only an icon; its name is read aloud and shown as a tip. */
export function IconButton({ label, keys, children, className, look = 'bare', ...rest }: IconButtonProps) {
  return (
    <Tip text={label} keys={keys}>
      <Button look={look} aria-label={label} className={classOf(styles.icon, className)} {...rest}>
        {children}
      </Button>
    </Tip>
  );
}

export function Key({ children }: { children: ReactNode }) {
  return <kbd className={styles.key}>{children}</kbd>;
}

interface TipProps {
  text: string;
  keys?: readonly string[] | undefined;
  side?: 'top' | 'right' | 'bottom' | 'left';
  children: ReactNode;
}

export function Tip({ text, keys, side = 'bottom', children }: TipProps) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className={styles.tip} side={side} sideOffset={6} collisionPadding={8}>
          {text}{' '}
          {keys?.map((key) => (
            <Key key={key}>{key}</Key>
          ))}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

export { classOf, styles as controlStyles };
