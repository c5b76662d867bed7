/** News for the operator: shown on every page, and read out. */

import { store } from './store.ts';

export interface Item {
  id: number;
  level: 'good' | 'bad' | 'note';
  text: string;
  /** What the box says to it, in English. */
  said?: string[];
}

/** Beyond so many the oldest goes. */
const MOST = 3;

export const news = store<Item[]>([]);

/** Text that is read out and not shown. */
export const spoken = store('');

let last = 0;

export function tell(text: string, level: Item['level'] = 'good', said?: string[]): void {
  const item: Item = { id: ++last, level, text, ...(said && said.length > 0 ? { said } : {}) };
  news.set([...news.get(), item].slice(-MOST));
}

export function dismiss(id: number): void {
  news.set(news.get().filter((item) => item.id !== id));
}

export function say(text: string): void {
  spoken.set(text);
}
