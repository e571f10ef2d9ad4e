/** Fields of a form. What is wrong stands under its field and is read with it; a refused form moves the focus to the first one. */
import { useEffect, useId, useRef, type ComponentProps, type ReactNode, type RefObject } from 'react';
import { useTexts } from '../i18n/index.ts';
import { Button, classOf } from './controls.tsx';
import styles from './form.module.css';

interface FieldProps {
  label: string;
  isOptional?: boolean;
  hint?: ReactNode;
  error?: string | undefined;
}

interface FieldFrameProps extends FieldProps {
  id: string;
  children: ReactNode;
}

function Frame({ id, label, isOptional = false, hint, error, children }: FieldFrameProps) {
  const t = useTexts();
  return (
    <div className={styles.field} data-invalid={error !== undefined}>
      <label htmlFor={id}>
        {label}
        {isOptional && <small> ({t.registry.optional})</small>}
      </label>
      {children}
      {error !== undefined && (
        <p id={`${id}-error`} className={styles.error}>
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}

function described(id: string, { hint, error }: FieldProps) {
  const parts = [error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`].filter(Boolean);
  return {
    'aria-invalid': error !== undefined,
    'aria-describedby': parts.length > 0 ? parts.join(' ') : undefined,
  };
}

interface TextFieldProps extends FieldProps {
  value: string;
  onChange: (text: string) => void;
  input?: Omit<ComponentProps<'input'>, 'value' | 'onChange' | 'id'>;
}

export function TextField({ value, onChange, input, ...field }: TextFieldProps) {
  const id = useId();
  return (
    <Frame id={id} {...field}>
      <input
        {...input}
        id={id}
        className={classOf(styles.input, input?.className)}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        {...described(id, field)}
      />
    </Frame>
  );
}

interface TextAreaProps extends FieldProps {
  value: string;
  onChange: (text: string) => void;
}

export function TextArea({ value, onChange, ...field }: TextAreaProps) {
  const id = useId();
  return (
    <Frame id={id} {...field}>
      <textarea
        id={id}
        className={styles.input}
        rows={3}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        {...described(id, field)}
      />
    </Frame>
  );
}

interface ChoiceFieldProps<T extends string> {
  label: string;
  value: T;
  choices: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}

export function ChoiceField<T extends string>({ label, value, choices, onChange }: ChoiceFieldProps<T>) {
  const name = useId();
  return (
    <fieldset className={styles.choices}>
      <legend>{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input
            type="radio"
            name={name}
            checked={value === choice.value}
            onChange={() => onChange(choice.value)}
          />
          {choice.label}
        </label>
      ))}
    </fieldset>
  );
}

interface FormProps {
  /** What went wrong with the whole of it, not with one field. */
  problem: string | null;
  isBusy: boolean;
  /** Counts refused tries: each moves the focus to the first field that is wrong. */
  refusals: number;
  onSubmit: () => void;
  onCancel: () => void;
  children: ReactNode;
}

function useFocusOnRefusal(form: RefObject<HTMLFormElement | null>, refusals: number): void {
  useEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [form, refusals]);
}

export function Form({ problem, isBusy, refusals, onSubmit, onCancel, children }: FormProps) {
  const t = useTexts();
  const form = useRef<HTMLFormElement>(null);
  useFocusOnRefusal(form, refusals);
  return (
    <form
      ref={form}
      className={styles.form}
      noValidate
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) onSubmit();
      }}
    >
      {children}
      {problem !== null && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <div className={styles.buttons}>
        <Button onClick={onCancel}>{t.cancel}</Button>
        <Button look="primary" type="submit" aria-disabled={isBusy}>
          {isBusy ? t.saving : t.save}
        </Button>
      </div>
    </form>
  );
}

export { styles as formStyles };
