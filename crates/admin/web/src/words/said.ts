/** Texts that the box says in English, in other languages where they are known. */

import type { Language } from '../box/preferences.ts';
import { GERMAN } from './said-de.ts';

export interface Translated {
  text: string;
  /** It stays as the box said it. */
  english: boolean;
}

/** A text that is a part of another one, in the other language where it is known. */
export type Tell = (part: string) => string;

/** One way the box puts something, and how it is put instead: `$1` is its first part; or made of the parts. */
export type Pattern = readonly [said: RegExp, instead: string | ((tell: Tell, ...parts: string[]) => string)];

export function said(text: string, language: Language): Translated {
  if (language === 'en') return { text, english: false };
  const german = tried(text);
  return { text: german ?? text, english: german === undefined };
}

function known(text: string): string | undefined {
  for (const [pattern, instead] of GERMAN) {
    const found = pattern.exec(text);
    if (found) return typeof instead === 'string' ? text.replace(pattern, instead) : instead(tell, ...found.slice(1));
  }
  return undefined;
}

const tried = (text: string) => fault(text) ?? known(text) ?? about(text);
const tell: Tell = (part) => tried(part) ?? part;

/** A fault of the configuration on one line: `file:line: path: what, remedy`, without its file and its path where there is none. */
const FAULT = /^((?:[^\s:]+:)?\d+: )((?:[^\s"`]|"(?:[^"\\]|\\.)*")+: )?(.*)$/s;

function fault(text: string): string | undefined {
  const [, place, path = '', rest] = FAULT.exec(text) ?? [];
  if (place === undefined || rest === undefined) return undefined;
  for (let at = rest.indexOf(', '); at >= 0; at = rest.indexOf(', ', at + 1)) {
    const what = known(rest.slice(0, at));
    const remedy = what === undefined ? undefined : known(rest.slice(at + 2));
    if (remedy !== undefined) return `${place}${path}${what}, ${remedy}`;
  }
  return undefined;
}

/** What is said of something by its name: `eth0: …`. */
function about(text: string): string | undefined {
  const at = text.indexOf(': ');
  if (at <= 0 || /\s/.test(text.slice(0, at))) return undefined;
  const rest = text.slice(at + 2);
  const german = known(rest) ?? about(rest);
  return german === undefined ? undefined : `${text.slice(0, at)}: ${german}`;
}
