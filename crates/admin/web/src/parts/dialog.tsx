/** Questions before something is done. */

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { store, useStore } from '../box/store.ts';
import { useWords } from '../words/use.ts';

interface DialogProps {
  title: string;
  onClose: () => void;
  /** Buttons beside the one that closes. */
  actions?: ComponentChildren;
  wide?: boolean;
  /** What the button that closes says where closing is what is wanted; it is the last then. */
  done?: string;
  children?: ComponentChildren;
}

/** A window above the page, open as long as it is drawn; then the focus goes back to where it was. */
export function Dialog({ title, onClose, actions, wide, done, children }: DialogProps) {
  const { w } = useWords();
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      // What it stood on may be gone, with the row that was removed for instance.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={box} class={wide ? 'wide' : ''} aria-labelledby={id} onCancel={cancel}>
      <h2 id={id}>{title}</h2>
      <div class="dialog-body">{children}</div>
      <div class="actions end">
        {done === undefined && (
          <button type="button" onClick={onClose}>
            {w.do.cancel}
          </button>
        )}
        {actions}
        {done !== undefined && (
          <button type="button" class="primary" onClick={onClose}>
            {done}
          </button>
        )}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  text: string;
  /** What the button that does it says. */
  action: string;
  danger?: boolean;
  answer: (yes: boolean) => void;
}

const question = store<Question | null>(null);

/** Asks the operator; true: go on. */
export function ask(title: string, text: string, action: string, danger = false): Promise<boolean> {
  question.get()?.answer(false);
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      question.set(null);
      resolve(yes);
    };
    question.set({ title, text, action, danger, answer });
  });
}

/** Where [ask] shows its question; once on the page. */
export function Questions() {
  const asked = useStore(question);
  if (!asked) return null;
  const action = (
    <button type="button" class={asked.danger ? 'danger' : 'primary'} onClick={() => asked.answer(true)}>
      {asked.action}
    </button>
  );
  return (
    <Dialog title={asked.title} onClose={() => asked.answer(false)} actions={action}>
      <p>{asked.text}</p>
    </Dialog>
  );
}
