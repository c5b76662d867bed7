/** A text with line numbers, and faults beside their lines. */

import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Fault } from '../../api/shapes.ts';
import { lines } from '../../text/diff.ts';
import { useWords } from '../../words/use.ts';
import { faultText } from './text.tsx';

interface EditorProps {
  text: string;
  readOnly: boolean;
  faults: Fault[];
  /** A line that is wanted; a new `nonce` wants it again. */
  select: { line: number; nonce: number } | null;
  onText: (text: string) => void;
  onCheck: () => void;
}

/** Pixels; the style sheet has the same. */
const LINE = 20;
const PADDING = 8;
const TAB = 4;

export function Editor({ text, readOnly, faults, select, onText, onCheck }: EditorProps) {
  const { w, language } = useWords();
  const area = useRef<HTMLTextAreaElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const all = useMemo(() => text.split('\n'), [text]);
  const numbers = useMemo(() => all.map((_, index) => index + 1).join('\n'), [all.length]);
  const byLine = useMemo(() => grouped(faults), [faults]);
  const longest = useMemo(() => Math.max(40, ...all.map(width)), [all]);
  const beyond = faults.length > 0 ? 70 : 4;

  useEffect(() => {
    if (select && area.current && scroller.current) pick(area.current, scroller.current, select.line);
  }, [select?.line, select?.nonce]);
  useEffect(() => {
    if (scroller.current) showFaults(scroller.current, faults);
  }, [faults]);

  const keys = (event: KeyboardEvent) => {
    if (event.key.toLowerCase() !== 's' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    onCheck();
  };
  return (
    <div class="editor" ref={scroller}>
      <div class="editor-inside" style={{ height: `${all.length * LINE + 2 * PADDING}px` }}>
        <pre class="gutter" aria-hidden="true">
          {numbers}
        </pre>
        <div class="editor-text" style={{ minWidth: `${longest + beyond}ch` }}>
          {select && <div class="picked" style={{ top: `${PADDING + (select.line - 1) * LINE}px` }} />}
          {[...byLine].map(([line, found]) => (
            <div key={line} class="beside" aria-hidden="true" style={{ top: `${PADDING + (line - 1) * LINE}px` }}>
              <span style={{ left: `${width(all[line - 1] ?? '') + 3}ch` }}>{found.map((fault) => faultText(fault, language)).join(' · ')}</span>
            </div>
          ))}
          <textarea
            ref={area}
            value={text}
            readOnly={readOnly}
            wrap="off"
            spellcheck={false}
            autocapitalize="off"
            autocomplete="off"
            aria-label={w.config.text}
            aria-invalid={faults.length > 0 ? 'true' : undefined}
            onInput={(event) => onText(event.currentTarget.value)}
            onKeyDown={keys}
          />
        </div>
      </div>
    </div>
  );
}

/** Selects a line and brings it into sight. */
function pick(area: HTMLTextAreaElement, scroller: HTMLElement, wanted: number): void {
  const all = area.value.split('\n');
  const line = Math.min(wanted, lines(area.value).length);
  const start = all.slice(0, line - 1).reduce((sum, line) => sum + line.length + 1, 0);
  area.focus({ preventScroll: true });
  area.setSelectionRange(start, start + (all[line - 1]?.length ?? 0));
  scroller.scrollTop = Math.max(0, (line - 4) * LINE);
  scroller.scrollLeft = 0;
  scroller.scrollIntoView({ block: 'nearest' });
}

/** Goes to the first fault where none is in sight. */
function showFaults(scroller: HTMLElement, faults: Fault[]): void {
  const [first] = faults;
  if (!first) return;
  const { scrollTop, clientHeight } = scroller;
  const seen = faults.some(({ line }) => line * LINE > scrollTop && line * LINE < scrollTop + clientHeight);
  if (!seen) scroller.scrollTop = Math.max(0, (first.line - 4) * LINE);
}

function grouped(faults: Fault[]): Map<number, Fault[]> {
  const byLine = new Map<number, Fault[]>();
  for (const fault of faults.slice(0, 200)) byLine.set(fault.line, [...(byLine.get(fault.line) ?? []), fault]);
  return byLine;
}

/** Columns that a line takes. */
function width(line: string): number {
  let columns = 0;
  for (const character of line) columns += character === '\t' ? TAB - (columns % TAB) : 1;
  return columns;
}
