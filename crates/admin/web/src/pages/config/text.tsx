/** The text of the configuration: edit, check, apply. */

import { useEffect, useState } from 'preact/hooks';
import { CHANGE_TIMEOUT, type Failure, call } from '../../api/client.ts';
import type { Checked, ConfigText, Fault } from '../../api/shapes.ts';
import { useAction } from '../../box/action.ts';
import { draft } from '../../box/draft.ts';
import type { Language } from '../../box/preferences.ts';
import { say } from '../../box/news.ts';
import { refreshStatus } from '../../box/status.ts';
import { useStore } from '../../box/store.ts';
import { ask } from '../../parts/dialog.tsx';
import { Badge, FailureNote, Said } from '../../parts/said.tsx';
import { navigate, useRoute } from '../../route.tsx';
import { diffLines, parseUnified } from '../../text/diff.ts';
import { visible } from '../../text/visible.ts';
import { said } from '../../words/said.ts';
import { useWords } from '../../words/use.ts';
import { ApplyDialog } from './apply.tsx';
import { DiffView } from './diff-view.tsx';
import { Editor } from './editor.tsx';

interface TextTabProps {
  current: ConfigText;
  may: boolean;
  reload: () => Promise<void>;
}

const NO_FAULTS: Fault[] = [];

/** What a check said, and of which text. */
interface Result {
  text: string;
  checked: Checked;
}

export function TextTab({ current, may, reload }: TextTabProps) {
  const { w } = useWords();
  const { hash, moves } = useRoute();
  const text = useText(current);
  const check = useCheck(text.now);
  const [applying, setApplying] = useState(false);
  const line = Number(/^#L(\d+)/.exec(hash)?.[1] ?? 0);
  const { result } = check;
  const checked = result?.text === text.now ? result.checked : null;
  const faults = result?.checked.faults ?? NO_FAULTS;

  const checkAndAsk = async () => {
    const found = checked ?? (await check.run());
    if (found && found.faults.length === 0) setApplying(true);
  };
  const applied = async () => {
    setApplying(false);
    check.forget();
    await Promise.all([refreshStatus(), reload()]);
  };
  const discard = async () => {
    if (!(await ask(w.config.askDiscard, w.config.askDiscardMore, w.config.discard, true))) return;
    draft.set(null);
    check.forget();
  };
  return (
    <section class="config">
      {!may && <p class="note">{w.config.readOnly}</p>}
      {text.stale && text.changed && <Stale base={text.base} current={current} text={text.now} onDiscard={() => void discard()} />}
      <Toolbar text={text} may={may} busy={check.busy} onDiscard={() => void discard()} onCheck={() => void check.run()} onApply={() => void checkAndAsk()} />
      <FailureNote failure={check.failure} />
      <Editor
        text={text.now}
        readOnly={!may}
        faults={faults}
        select={line > 0 ? { line, nonce: moves } : null}
        onText={text.edit}
        onCheck={() => void (may && check.run())}
      />
      {faults.length > 0 && <Faults faults={faults} />}
      {checked && checked.faults.length === 0 && <Good checked={checked} />}
      {applying && checked && (
        <ApplyDialog checked={checked} text={text.now} base={text.base} onApplied={applied} onClose={() => setApplying(false)} />
      )}
    </section>
  );
}

interface ToolbarProps {
  text: EditedText;
  may: boolean;
  busy: boolean;
  onDiscard: () => void;
  onCheck: () => void;
  onApply: () => void;
}

function Toolbar({ text, may, busy, onDiscard, onCheck, onApply }: ToolbarProps) {
  const { w } = useWords();
  return (
    <div class="toolbar">
      <div class="actions">
        <Badge tone={text.changed ? 'warn' : 'plain'}>{text.changed ? w.config.changed : w.config.same}</Badge>
        {may && <span class="hint keys">{w.config.keys}</span>}
      </div>
      {may && (
        <div class="actions">
          <button type="button" disabled={!text.changed} onClick={onDiscard}>
            {w.config.discard}
          </button>
          <button type="button" disabled={busy} onClick={onCheck}>
            {w.config.check}
          </button>
          <button type="button" class="primary" disabled={!text.changed || text.stale || busy} onClick={onApply}>
            {w.config.apply}
          </button>
        </div>
      )}
    </div>
  );
}

interface EditedText {
  now: string;
  /** The generation it was made from. */
  base: number;
  changed: boolean;
  /** Another generation has come into force since. */
  stale: boolean;
  edit: (text: string) => void;
}

function useText(current: ConfigText): EditedText {
  const { w } = useWords();
  const kept = useStore(draft);
  const base = kept?.base ?? current.generation;
  const now = kept?.text ?? current.text;
  useEffect(() => {
    if (kept && kept.text !== current.text) say(w.config.kept);
  }, []);
  return {
    now,
    base,
    changed: now !== current.text,
    stale: base !== current.generation,
    edit: (text) => draft.set(text === current.text ? null : { base, text }),
  };
}

interface Check {
  result: Result | null;
  busy: boolean;
  failure: Failure | null;
  run: () => Promise<Checked | null>;
  forget: () => void;
}

function useCheck(text: string): Check {
  const { w, f } = useWords();
  const [result, setResult] = useState<Result | null>(null);
  const { busy, failure, run } = useAction();
  const check = async (): Promise<Checked | null> => {
    let checked: Checked | null = null;
    await run(async () => {
      checked = await call<Checked>('POST', '/check', { body: { text }, timeout: CHANGE_TIMEOUT });
      setResult({ text, checked });
      const faults = checked.faults.length;
      say(faults > 0 ? w.config.faults(faults, f.count(faults)) : w.config.noFaults);
    });
    return checked;
  };
  return { result, busy, failure, run: check, forget: () => setResult(null) };
}

function Faults({ faults }: { faults: Fault[] }) {
  const { w, f } = useWords();
  return (
    <section class="note bad faults" aria-label={w.config.faultsList}>
      <p>
        <b>{w.config.faults(faults.length, f.count(faults.length))}</b>
      </p>
      <ul>
        {faults.slice(0, 200).map((fault, index) => (
          <li key={index}>
            <button type="button" class="link" onClick={() => navigate(`/config#L${fault.line}`)}>
              {w.do.line(fault.line)}
            </button>{' '}
            {fault.path !== '' && <code>{visible(fault.path)}</code>} <SaidFault fault={fault} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What is wrong and what would be right, each in the reader's language where it is known. */
function SaidFault({ fault: { what, remedy } }: { fault: Fault }) {
  return (
    <>
      <Said text={what} />
      {remedy !== '' && (
        <>
          , <Said text={remedy} />
        </>
      )}
    </>
  );
}

/** The same as a text. */
export function faultText({ what, remedy }: Fault, language: Language): string {
  const parts = remedy === '' ? [what] : [what, remedy];
  return parts.map((part) => said(visible(part), language).text).join(', ');
}

function Good({ checked }: { checked: Checked }) {
  const { w } = useWords();
  return (
    <>
      <div class="note good">
        <p>
          <b>{w.config.noFaults}</b> {!checked.changed && w.config.nothingChanges}
        </p>
        {checked.not_checked.length > 0 && (
          <>
            <p>{w.config.notChecked}</p>
            <ul>
              {checked.not_checked.map((text, index) => (
                <li key={index}>
                  <Said text={text} />
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
      {checked.diff !== '' && <DiffView rows={parseUnified(checked.diff)} />}
    </>
  );
}

interface StaleProps {
  base: number;
  current: ConfigText;
  text: string;
  onDiscard: () => void;
}

/** Two people at one text: the later one decides, and sees what it is about. */
function Stale({ base, current, text, onDiscard }: StaleProps) {
  const { w } = useWords();
  return (
    <div class="note warn">
      <p>{w.config.stale(current.generation, base)}</p>
      <div class="actions">
        <button type="button" onClick={() => draft.set({ base: current.generation, text })}>
          {w.config.staleMine}
        </button>
        <button type="button" onClick={onDiscard}>
          {w.config.staleTheirs}
        </button>
      </div>
      <details>
        <summary>{w.config.staleSee}</summary>
        <DiffView rows={diffLines(current.text, text)} />
      </details>
    </div>
  );
}
