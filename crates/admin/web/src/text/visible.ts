/** Text that somebody outside chose: shown so that it can neither hide nor turn what stands around it. */

/** Characters of one part of a line; what is beyond is cut. */
const LONGEST_PART = 1024;

const NAMED: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\\0' };

/** `text` on one line: what is not visible, or would act on its neighbours, is escaped. */
export function visible(text: string): string {
  if (text.length <= LONGEST_PART && /^[ -~]*$/.test(text)) return text;
  let shown = '';
  let count = 0;
  for (const character of text) {
    if (count++ === LONGEST_PART) return `${shown}…`;
    shown += escaped(character);
  }
  return shown;
}

function escaped(character: string): string {
  if (/^[ -~]$/.test(character)) return character;
  const named = NAMED[character];
  if (named) return named;
  // Controls, format characters, foreign spaces, marks that join the letter before.
  if (/[\p{C}\p{Z}\p{Mn}\p{Me}]/u.test(character)) {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  }
  return character;
}
