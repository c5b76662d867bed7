/** How two texts differ, line by line. */

/** One line of a difference; `gap` stands for lines that are the same and not shown. */
export interface DiffRow {
  kind: 'same' | 'out' | 'in' | 'gap';
  /** Line in the older text, from 1. */
  old?: number;
  /** Line in the newer text, from 1. */
  new?: number;
  text: string;
}

/** Beyond so many differing lines the middle is shown as replaced: nobody reads a finer answer. */
const MOST_STEPS = 1500;

/** The shortest way from `older` to `newer` (Myers 1986), with `context` lines around each change. */
export function diffLines(older: string, newer: string, context = 3): DiffRow[] {
  const [a, b] = [lines(older), lines(newer)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const rows: DiffRow[] = [];
  const same = (old: number, now: number) => rows.push({ kind: 'same', old: old + 1, new: now + 1, text: a[old] ?? '' });
  for (let i = 0; i < start; i++) same(i, i);
  let [x, y] = [start, start];
  for (const step of steps(a.slice(start, a.length - end), b.slice(start, b.length - end))) {
    if (step === 'same') same(x++, y++);
    else if (step === 'out') rows.push({ kind: 'out', old: x + 1, text: a[x++] ?? '' });
    else rows.push({ kind: 'in', new: y + 1, text: b[y++] ?? '' });
  }
  while (x < a.length) same(x++, y++);
  return folded(rows, context);
}

/** A difference in unified format, as the box sends it. */
export function parseUnified(text: string): DiffRow[] {
  const rows: DiffRow[] = [];
  let [old, now] = [0, 0];
  let inside = false;
  for (const line of lines(text)) {
    const head = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (head) {
      [old, now] = [Number(head[1]), Number(head[2])];
      if (rows.length > 0 || old > 1) rows.push({ kind: 'gap', text: '' });
      inside = true;
    } else if (!inside || line.startsWith('\\')) {
      // Names of the two sides, or "no newline at end of file".
    } else if (line.startsWith('-')) rows.push({ kind: 'out', old: old++, text: line.slice(1) });
    else if (line.startsWith('+')) rows.push({ kind: 'in', new: now++, text: line.slice(1) });
    else rows.push({ kind: 'same', old: old++, new: now++, text: line.slice(1) });
  }
  return rows;
}

/** How many lines came and went. */
export function counts(rows: DiffRow[]): { added: number; removed: number } {
  const count = (kind: DiffRow['kind']) => rows.filter((row) => row.kind === kind).length;
  return { added: count('in'), removed: count('out') };
}

/** The lines of a text; a line end at its end begins no further line. */
export function lines(text: string): string[] {
  if (text === '') return [];
  const all = text.split(/\r\n|\n|\r/);
  if (all[all.length - 1] === '') all.pop();
  return all;
}

type Step = 'same' | 'out' | 'in';

function steps(a: string[], b: string[]): Step[] {
  const replaced = (): Step[] => [...a.map((): Step => 'out'), ...b.map((): Step => 'in')];
  if (a.length === 0 || b.length === 0) return replaced();
  const trace: Map<number, number>[] = [];
  const reach = new Map<number, number>([[1, 0]]);
  const most = Math.min(a.length + b.length, MOST_STEPS);
  for (let d = 0; d <= most; d++) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      let x = down(reach, k, d) ? at(reach, k + 1) : at(reach, k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return replaced();
}

function walkBack(trace: Map<number, number>[], endA: number, endB: number): Step[] {
  const back: Step[] = [];
  let [x, y] = [endA, endB];
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d] ?? new Map<number, number>();
    const k = x - y;
    const before = down(reach, k, d) ? k + 1 : k - 1;
    const [fromX, fromY] = [at(reach, before), at(reach, before) - before];
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      back.push('same');
      x--;
      y--;
    }
    if (d > 0) back.push(x === fromX ? 'in' : 'out');
    [x, y] = [fromX, fromY];
  }
  return back.reverse();
}

/** Whether diagonal `k` is reached by a line that came, rather than by one that went. */
function down(reach: Map<number, number>, k: number, d: number): boolean {
  return k === -d || (k !== d && at(reach, k - 1) < at(reach, k + 1));
}

function at(reach: Map<number, number>, k: number): number {
  return reach.get(k) ?? -1;
}

function folded(rows: DiffRow[], context: number): DiffRow[] {
  const near = new Set<number>();
  rows.forEach((row, index) => {
    if (row.kind === 'same') return;
    for (let i = index - context; i <= index + context; i++) near.add(i);
  });
  const shown: DiffRow[] = [];
  rows.forEach((row, index) => {
    if (near.has(index)) shown.push(row);
    else if (near.size > 0 && shown[shown.length - 1]?.kind !== 'gap') shown.push({ kind: 'gap', text: '' });
  });
  return shown;
}
