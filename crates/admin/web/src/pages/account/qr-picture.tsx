/** A QR code as a picture. */

import { useMemo } from 'preact/hooks';
import { qrCode } from '../../qr/code.ts';

/** Light modules around the code, without which it is not found. */
const QUIET = 4;

/** Nothing where the text is too long for a code: the text itself stands beside it. */
export function QrPicture({ text, label }: { text: string; label: string }) {
  const rows = useMemo(() => drawn(text), [text]);
  if (!rows) return null;
  const size = rows.length + 2 * QUIET;
  // One path for all dark modules, run by run; white beneath, also in the dark.
  const path = rows.flatMap((row, y) => runs(row).map(([x, length]) => `M${x + QUIET} ${y + QUIET}h${length}v1h-${length}z`)).join('');
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

/** What every app takes for granted, and can go where the text is too long. */
const TAKEN_FOR_GRANTED = /&(algorithm=SHA1|digits=6|period=30)(?=&|$)/g;

function drawn(text: string): boolean[][] | null {
  for (const shorter of [text, text.replace(TAKEN_FOR_GRANTED, '')]) {
    try {
      return qrCode(shorter);
    } catch {
      // The next one may fit.
    }
  }
  return null;
}

function runs(row: boolean[]): [from: number, length: number][] {
  const found: [number, number][] = [];
  row.forEach((dark, x) => {
    const last = found[found.length - 1];
    if (!dark) return;
    if (last && last[0] + last[1] === x) last[1]++;
    else found.push([x, 1]);
  });
  return found;
}
