/** The last question before a change is put into force. */

import { useState } from 'preact/hooks';
import type { Checked } from '../../api/shapes.ts';
import type { Action } from '../../box/action.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Choice } from '../../parts/form.tsx';
import { FailureNote, Said } from '../../parts/said.tsx';
import { Addresses } from '../../shell/banners.tsx';
import { counts, parseUnified } from '../../text/diff.ts';
import { useWords } from '../../words/use.ts';
import { DiffView } from './diff-view.tsx';

/** Seconds there may be for a confirmation. */
const TIMES = ['60', '180', '300', '600', '1800', '3600'] as const;

interface ApplyProps {
  checked: Checked;
  /** Where the pages will be that they are not at now. */
  addresses: string[];
  action: Action;
  onApply: (trialSeconds: number | null) => void;
  onClose: () => void;
}

export function ApplyDialog({ checked, addresses, action, onApply, onClose }: ApplyProps) {
  const { w, f } = useWords();
  const forced = checked.confirm.length > 0;
  const [wanted, setWanted] = useState(false);
  const [seconds, setSeconds] = useState<(typeof TIMES)[number]>('180');
  const rows = parseUnified(checked.diff);
  const { added, removed } = counts(rows);
  const trial = forced || wanted;
  const apply = (
    <button type="button" class="primary" disabled={action.busy} onClick={() => onApply(trial ? Number(seconds) : null)}>
      {action.busy ? w.do.working : w.config.doApply}
    </button>
  );
  return (
    <Dialog title={w.config.applyTitle} wide onClose={onClose} actions={apply}>
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
      <FailureNote failure={action.failure} />
    </Dialog>
  );
}

function Forced({ reasons }: { reasons: string[] }) {
  const { w } = useWords();
  return (
    <div class="note warn">
      <div>
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
    </div>
  );
}
