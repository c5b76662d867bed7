/** Texts that the box says in English, in other languages where they are known. */

import type { Language } from '../box/preferences.ts';
import { GERMAN } from './said-de.ts';

export interface Translated {
  text: string;
  /** It stays as the box said it. */
  english: boolean;
}

/** One way the box puts something, and how it is put instead; `$1` is its first part. */
export type Pattern = readonly [said: RegExp, instead: string];

export function said(text: string, language: Language): Translated {
  if (language === 'en') return { text, english: false };
  for (const [pattern, instead] of GERMAN) {
    if (pattern.test(text)) return { text: text.replace(pattern, instead), english: false };
  }
  return { text, english: true };
}
