/** The last question before a change is put into force. */

import { useState } from 'preact/hooks';
import { CHANGE_TIMEOUT, call } from '../../api/client.ts';
import type { Applied, Checked } from '../../api/shapes.ts';
import { useAction } from '../../box/action.ts';
import { draft, newAddresses } from '../../box/draft.ts';
import { say, tell } from '../../box/news.ts';
import { known } from '../../box/status.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Choice } from '../../parts/form.tsx';
import { FailureNote, Said } from '../../parts/said.tsx';
import { Addresses, useLeft } from '../../shell/banners.tsx';
import { counts, parseUnified } from '../../text/diff.ts';
import { places } from '../../text/places.ts';
import { useWords, type Words } from '../../words/use.ts';
import { DiffView } from './diff-view.tsx';

/** Seconds there may be for a confirmation. */
const TIMES = ['60', '180', '300', '600', '1800', '3600'] as const;

interface ApplyProps {
  checked: Checked;
  text: string;
  /** The generation that the text was made from. */
  base: number;
  onApplied: () => Promise<void>;
  onClose: () => void;
}

export function ApplyDialog({ checked, text, base, onApplied, onClose }: ApplyProps) {
  const { w, f } = useWords();
  const forced = checked.confirm.length > 0;
  const [wanted, setWanted] = useState(false);
  const [seconds, setSeconds] = useState<(typeof TIMES)[number]>('180');
  const action = useAction();
  const rows = parseUnified(checked.diff);
  const { added, removed } = counts(rows);
  const trial = forced || wanted;
  const addresses = places(checked.new_pages, location);
  const [sent, setSent] = useState(0);
  // No answer is what a change looks like that has cut this browser off.
  const cutOff = trial && (action.failure?.kind === 'away' || action.failure?.kind === 'late');
  const left = useLeft(Number(seconds), sent, cutOff);
  const apply = () =>
    action.run(async () => {
      const body = { text, base, trial_seconds: trial ? Number(seconds) : null };
      setSent(Date.now());
      const applied = await call<Applied>('POST', '/apply', { body, timeout: CHANGE_TIMEOUT });
      newAddresses.set(applied.generation.state === 'trial' ? addresses : []);
      known(applied.generation);
      tellApplied(applied, w);
      draft.set(null);
      await onApplied();
    });
  const button = (
    <button type="button" class="primary" disabled={action.busy} onClick={() => void apply()}>
      {action.busy ? w.do.working : w.config.doApply}
    </button>
  );
  return (
    <Dialog title={w.config.applyTitle} wide onClose={onClose} actions={button}>
      <p>{checked.changed ? w.config.diffIs(f.count(added), f.count(removed)) : w.config.nothingChanges}</p>
      {rows.length > 0 && <DiffView rows={rows} />}
      {forced ? <Forced reasons={checked.confirm} /> : <p>{w.config.applyFree}</p>}
      {!forced && (
        <label class="tick">
          <input type="checkbox" checked={wanted} onChange={(event) => setWanted(event.currentTarget.checked)} /> {w.config.onTrial}
        </label>
      )}
      {trial && (
        <Choice label={w.config.trialTime} value={seconds} onValue={setSeconds} options={TIMES.map((time) => [time, f.span(Number(time))] as const)} />
      )}
      {addresses.length > 0 && <Addresses addresses={addresses} />}
      {cutOff ? (
        <p class="note bad" role="alert">
          {w.trial.noAnswer(f.clock(left))}
        </p>
      ) : (
        <FailureNote failure={action.failure} />
      )}
    </Dialog>
  );
}

/** What came of a change; of a trial the banner tells, and how to confirm it here. */
export function tellApplied({ generation, changed, notes }: Applied, w: Words): void {
  const more = notes.filter((note) => !note.includes('`gatehouse confirm`'));
  if (generation.state === 'trial') {
    say(w.config.appliedTrial(generation.number));
    for (const note of more) tell(note, 'note');
  } else tell(changed ? w.config.applied(generation.number) : w.config.appliedSame, 'good', more);
}

function Forced({ reasons }: { reasons: string[] }) {
  const { w } = useWords();
  return (
    <div class="note warn">
      <p>{w.config.applyTrial}</p>
      <ul>
        {reasons.map((reason) => (
          <li key={reason}>
            <Said text={reason} />
          </li>
        ))}
      </ul>
      <p>{w.config.applyTrialMore}</p>
    </div>
  );
}
