/** The newest records, and how many went before them. */

import type { Record } from '../api/shapes.ts';
import { entry, type Entry } from './filter.ts';

export class Ring {
  private kept: Entry[] = [];
  /** Records that came faster than somebody could take them, as the box tells. */
  lost = 0;
  /** Records that made room for newer ones here. */
  left = 0;

  constructor(private readonly capacity: number) {}

  /** Adds records, oldest first; what is known already is passed over. */
  add(records: Record[]): void {
    // Who looks at the entries of before goes on to see those.
    this.kept = [...this.kept];
    let newest = this.kept[this.kept.length - 1]?.record.id ?? 0;
    for (const record of records) {
      if (record.id <= newest) continue;
      newest = record.id;
      if (record.event === 'dropped') this.lost += record.count;
      this.kept.push(entry(record));
    }
    const surplus = this.kept.length - this.capacity;
    if (surplus > 0) {
      this.left += surplus;
      this.kept = this.kept.slice(surplus);
    }
  }

  /** Oldest first. */
  get entries(): readonly Entry[] {
    return this.kept;
  }

  clear(): void {
    this.kept = [];
    this.lost = 0;
    this.left = 0;
  }
}
