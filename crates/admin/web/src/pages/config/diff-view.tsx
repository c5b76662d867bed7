/** How two texts differ, for reading. */

import { useState } from 'preact/hooks';
import type { DiffRow } from '../../text/diff.ts';
import { useWords } from '../../words/use.ts';

const SIGNS = { same: ' ', out: '−', in: '+', gap: '⋯' } as const;
/** Lines that are drawn at first. */
const MOST = 400;

export function DiffView({ rows }: { rows: DiffRow[] }) {
  const { w, f } = useWords();
  const [most, setMost] = useState(MOST);
  if (rows.length === 0) return <p class="empty">{w.config.noDifference}</p>;
  const spoken = { same: '', out: w.config.removed, in: w.config.added, gap: w.config.gap };
  return (
    <>
      <div class="diff" role="region" aria-label={w.config.diff} tabIndex={0}>
        {rows.slice(0, most).map((row, index) => (
          <div key={index} class={`diff-row ${row.kind}`}>
            <span class="diff-number">{row.old ?? ''}</span>
            <span class="diff-number">{row.new ?? ''}</span>
            <span class="diff-sign">
              <span aria-hidden="true">{SIGNS[row.kind]}</span>
              {spoken[row.kind] !== '' && <span class="unseen">{spoken[row.kind]}</span>}
            </span>
            <span class="diff-text">{row.text}</span>
          </div>
        ))}
      </div>
      {rows.length > most && (
        <button type="button" class="more" onClick={() => setMost(most + MOST)}>
          {w.do.more(f.count(rows.length - most))}
        </button>
      )}
    </>
  );
}
