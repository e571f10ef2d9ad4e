/** Menus. Never modal: the modal form of the primitive writes a style element, which our content security policy refuses. */
import * as Dropdown from '@radix-ui/react-dropdown-menu';
import { Check } from 'lucide-react';
import type { ReactNode } from 'react';
import { controlStyles as styles } from './controls.tsx';

interface MenuProps {
  trigger: ReactNode;
  align?: 'start' | 'end';
  children: ReactNode;
}

export function Menu({ trigger, align = 'start', children }: MenuProps) {
  return (
    <Dropdown.Root modal={false}>
      <Dropdown.Trigger asChild>{trigger}</Dropdown.Trigger>
      <Dropdown.Portal>
        <Dropdown.Content className={styles.menu} align={align} sideOffset={4} collisionPadding={8}>
          {children}
        </Dropdown.Content>
      </Dropdown.Portal>
    </Dropdown.Root>
  );
}

export function MenuHeading({ children }: { children: ReactNode }) {
  return <Dropdown.Label className={styles.heading}>{children}</Dropdown.Label>;
}

export function MenuRule() {
  return <Dropdown.Separator className={styles.rule} />;
}

interface MenuItemProps {
  onSelect: () => void;
  icon?: ReactNode;
  aside?: ReactNode;
  disabled?: boolean;
  children: ReactNode;
}

export function MenuItem({ onSelect, icon, aside, disabled, children }: MenuItemProps) {
  return (
    <Dropdown.Item className={styles.item} onSelect={onSelect} disabled={disabled ?? false}>
      <span className={styles.tick}>{icon}</span>
      {children}
      {aside !== undefined && <span className={styles.aside}>{aside}</span>}
    </Dropdown.Item>
  );
}

interface MenuLinkProps {
  href: string;
  /** The browser saves what is there instead of showing it. */
  download?: boolean;
  children: ReactNode;
}

export function MenuLink({ href, download = false, children }: MenuLinkProps) {
  return (
    <Dropdown.Item className={styles.item} asChild>
      <a href={href} download={download}>
        {children}
      </a>
    </Dropdown.Item>
  );
}

export interface Choice {
  value: string;
  label: ReactNode;
  aside?: ReactNode;
}

interface MenuChoicesProps {
  value: string;
  onChange: (value: string) => void;
  choices: readonly Choice[];
}

export function MenuChoices({ value, onChange, choices }: MenuChoicesProps) {
  return (
    <Dropdown.RadioGroup value={value} onValueChange={onChange}>
      {choices.map((choice) => (
        <Dropdown.RadioItem key={choice.value} value={choice.value} className={styles.item}>
          <Dropdown.ItemIndicator className={styles.tick}>
            <Check size={14} aria-hidden />
          </Dropdown.ItemIndicator>
          {choice.label}
          {choice.aside !== undefined && <span className={styles.aside}>{choice.aside}</span>}
        </Dropdown.RadioItem>
      ))}
    </Dropdown.RadioGroup>
  );
}

interface MenuCheckProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  aside?: ReactNode;
  children: ReactNode;
}

/** Stays open, so that several can be changed in one visit. */
export function MenuCheck({ checked, onChange, disabled, aside, children }: MenuCheckProps) {
  return (
    <Dropdown.CheckboxItem
      className={styles.item}
      checked={checked}
      disabled={disabled ?? false}
      onCheckedChange={onChange}
      onSelect={(event) => event.preventDefault()}
    >
      <Dropdown.ItemIndicator className={styles.tick}>
        <Check size={14} aria-hidden />
      </Dropdown.ItemIndicator>
      {children}
      {aside !== undefined && <span className={styles.aside}>{aside}</span>}
    </Dropdown.CheckboxItem>
  );
}
