/** The text of the configuration: edit, check, apply. */

import { useEffect, useState } from 'preact/hooks';
import { CHANGE_TIMEOUT, call } from '../../api/client.ts';
import type { Applied, Checked, ConfigText, Fault } from '../../api/shapes.ts';
import { useAction } from '../../box/action.ts';
import { draft, newAddresses } from '../../box/draft.ts';
import { say, tell } from '../../box/news.ts';
import { refreshStatus } from '../../box/status.ts';
import { useStore } from '../../box/store.ts';
import { ask } from '../../parts/dialog.tsx';
import { Badge, FailureNote, Said } from '../../parts/said.tsx';
import { navigate, useRoute } from '../../route.tsx';
import { diffLines, parseUnified } from '../../text/diff.ts';
import { newPageAddresses } from '../../text/pages.ts';
import { visible } from '../../text/visible.ts';
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
  const kept = useStore(draft);
  const text = kept?.text ?? current.text;
  const changed = text !== current.text;
  const [result, setResult] = useState<Result | null>(null);
  const [applying, setApplying] = useState(false);
  const checking = useAction();
  const apply = useAction();
  const line = Number(/^#L(\d+)/.exec(hash)?.[1] ?? 0);
  const edit = (next: string) => draft.set(next === current.text ? null : { base: kept?.base ?? current.generation, text: next });
  useEffect(() => {
    if (kept && kept.text !== current.text) say(w.config.kept);
  }, []);

  const check = async (): Promise<Checked | null> => {
    let answer: Checked | null = null;
    await checking.run(async () => {
      answer = await call<Checked>('POST', '/check', { body: { text }, timeout: CHANGE_TIMEOUT });
      setResult({ text, checked: answer });
      const faults = answer.faults.length;
      say(faults > 0 ? w.config.faults(faults, String(faults)) : w.config.noFaults);
    });
    return answer;
  };
  const checkAndApply = async () => {
    const checked = result?.text === text && !stale ? result.checked : await check();
    if (checked && checked.faults.length === 0) setApplying(true);
  };
  const doApply = (seconds: number | null) =>
    apply.run(async () => {
      const body = { text, base: kept?.base ?? current.generation, trial_seconds: seconds };
      const applied = await call<Applied>('POST', '/apply', { body, timeout: CHANGE_TIMEOUT });
      const { generation } = applied;
      if (generation.state === 'trial') newAddresses.set(newPageAddresses(current.text, text));
      const words = !applied.changed ? w.config.appliedSame : generation.state === 'trial' ? w.config.appliedTrial(generation.number) : w.config.applied(generation.number);
      tell(words, 'good', applied.notes);
      draft.set(null);
      setApplying(false);
      setResult(null);
      await Promise.all([refreshStatus(), reload()]);
    });
  const discard = async () => {
    if (!(await ask(w.config.askDiscard, w.config.askDiscardMore, w.config.discard, true))) return;
    draft.set(null);
    setResult(null);
  };

  const stale = kept !== null && kept.base !== current.generation;
  const faults = result?.checked.faults ?? NO_FAULTS;
  const checked = result?.text === text ? result.checked : null;
  return (
    <section class="config">
      {!may && <p class="note note">{w.config.readOnly}</p>}
      {stale && changed && <Stale base={kept.base} current={current} text={text} onDiscard={() => void discard()} />}
      <div class="toolbar">
        <div class="actions">
          <Badge tone={changed ? 'warn' : 'plain'}>{changed ? w.config.changed : w.config.same}</Badge>
          <span class="hint keys">{w.config.keys}</span>
        </div>
        {may && (
          <div class="actions">
            <button type="button" disabled={!changed} onClick={() => void discard()}>
              {w.config.discard}
            </button>
            <button type="button" disabled={checking.busy} onClick={() => void check()}>
              {w.config.check}
            </button>
            <button type="button" class="primary" disabled={!changed || stale || checking.busy} onClick={() => void checkAndApply()}>
              {w.config.apply}
            </button>
          </div>
        )}
      </div>
      <FailureNote failure={checking.failure} />
      <Editor
        text={text}
        readOnly={!may}
        faults={faults}
        select={line > 0 ? { line, nonce: moves } : null}
        onText={edit}
        onCheck={() => void check()}
      />
      {faults.length > 0 && <Faults faults={faults} />}
      {checked && checked.faults.length === 0 && <Good checked={checked} />}
      {applying && checked && (
        <ApplyDialog
          checked={checked}
          addresses={newPageAddresses(current.text, text)}
          action={apply}
          onApply={(seconds) => void doApply(seconds)}
          onClose={() => {
            apply.clear();
            setApplying(false);
          }}
        />
      )}
    </section>
  );
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
            {fault.path !== '' && <code>{visible(fault.path)}</code>} <Said text={faultText(fault)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function faultText({ what, remedy }: Fault): string {
  return remedy === '' ? what : `${what}, ${remedy}`;
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
