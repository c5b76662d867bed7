/** Which records of the log are shown. */

import type { Record } from '../api/shapes.ts';
import { clientOf, line, serviceOf } from './line.ts';

/** What is looked for; empty texts: everything. */
export interface Wanted {
  /** Somewhere in the line, whatever its case. */
  text: string;
  service: string;
  /** The beginning of an address. */
  client: string;
  outcome: '' | 'forwarded' | 'answered' | 'rejected' | 'other';
}

export const EVERYTHING: Wanted = { text: '', service: '', client: '', outcome: '' };

/** A record with what it is searched by. */
export interface Entry {
  record: Record;
  service: string;
  client: string;
  /** Its line in lower case; made when it is first looked at. */
  low?: string;
}

export function entry(record: Record): Entry {
  return { record, service: serviceOf(record), client: clientOf(record) };
}

export function fits(entry: Entry, wanted: Wanted): boolean {
  if (wanted.service !== '' && entry.service !== wanted.service) return false;
  if (wanted.client !== '' && !entry.client.startsWith(wanted.client.trim())) return false;
  if (!outcomeFits(entry.record, wanted.outcome)) return false;
  const text = wanted.text.trim().toLowerCase();
  if (text === '') return true;
  entry.low ??= line(entry.record).toLowerCase();
  return text.split(/\s+/).every((word) => (entry.low ?? '').includes(word));
}

function outcomeFits(record: Record, outcome: Wanted['outcome']): boolean {
  if (outcome === '') return true;
  if (outcome === 'other') return record.event !== 'decision';
  return record.event === 'decision' && record.outcome === outcome;
}
