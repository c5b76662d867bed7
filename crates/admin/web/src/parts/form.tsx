/** Fields of forms, with their labels, hints and faults. */

import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

interface FieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  hint?: string;
  fault?: string | null | undefined;
  type?: 'text' | 'password' | 'search' | 'url';
  autocomplete?: string;
  required?: boolean;
  code?: boolean;
  numeric?: boolean;
  /** Longest text. */
  most?: number;
}

export function Field({ label, value, onValue, hint, fault, type = 'text', autocomplete = 'off', ...more }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', fault ? `${id}-fault` : ''].join(' ').trim();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        // The types know each kind of input apart; here it is one of several.
        type={type as 'text'}
        value={value}
        class={more.code ? 'code' : undefined}
        autocomplete={autocomplete}
        spellcheck={false}
        required={more.required ?? false}
        maxLength={more.most ?? 1024}
        inputMode={more.numeric ? 'numeric' : 'text'}
        aria-invalid={fault ? 'true' : undefined}
        aria-describedby={described === '' ? undefined : described}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {fault && (
        <p class="fault" id={`${id}-fault`} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, label: string])[];
  onValue: (value: T) => void;
  hint?: string;
}

export function Choice<T extends string>({ label, value, options, onValue, hint }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onValue(event.currentTarget.value as T)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Some choices beside each other, of which one holds. */
export function Switch<T extends string>({ label, value, options, onValue }: Omit<ChoiceProps<T>, 'hint'>) {
  return (
    <div class="switch" role="group" aria-label={label}>
      {options.map(([option, text]) => (
        <button type="button" key={option} aria-pressed={option === value} onClick={() => onValue(option)}>
          {text}
        </button>
      ))}
    </div>
  );
}

interface FormProps {
  onSubmit: () => void;
  class?: string;
  children?: ComponentChildren;
}

export function Form({ onSubmit, class: name, children }: FormProps) {
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form class={name} onSubmit={submit}>
      {children}
    </form>
  );
}

/** A value that is copied by a button. */
export function useCopied(): [copied: boolean | null, copy: (text: string) => void] {
  const [copied, setCopied] = useState<boolean | null>(null);
  const copy = (text: string) => {
    // Without TLS the browser has no clipboard for us.
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    written.then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return [copied, copy];
}
