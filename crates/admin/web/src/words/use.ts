/** The words and formats of the language that is chosen. */

import { language, type Language } from '../box/preferences.ts';
import { useStore } from '../box/store.ts';
import { de } from './de.ts';
import { en, type Words } from './en.ts';
import { formats, type Formats } from './format.ts';

export type { Formats, Words };

const ALL: { [name in Language]: Words } = { en, de };
const FORMATS: { [name in Language]: Formats } = { en: formats('en-GB'), de: formats('de-DE') };

/** `w`: words, `f`: formats. */
export function useWords(): { w: Words; f: Formats; language: Language } {
  const chosen = useStore(language);
  return { w: ALL[chosen], f: FORMATS[chosen], language: chosen };
}

/** The same outside of a component. */
export function words(): { w: Words; f: Formats } {
  return { w: ALL[language.get()], f: FORMATS[language.get()] };
}
