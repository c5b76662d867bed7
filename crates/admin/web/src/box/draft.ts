/** The text that is being edited; kept in this tab, so that a look at another page does not lose it. */

import { store } from './store.ts';

export interface Draft {
  /** The generation it was made from. */
  base: number;
  text: string;
}

const KEY = 'gatehouse-draft';

export const draft = store<Draft | null>(read());

/** Where the pages will be after the change that is on trial, as `host:port`. */
export const newAddresses = store<string[]>([]);

draft.watch((value) => {
  try {
    if (value) sessionStorage.setItem(KEY, JSON.stringify(value));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Then a reload of the page loses it.
  }
});

function read(): Draft | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Draft | null;
    return kept && typeof kept.text === 'string' && typeof kept.base === 'number' ? kept : null;
  } catch {
    return null;
  }
}
