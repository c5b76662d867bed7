/** What is looked for among hosts. */

import type { Host } from '../api/hosts.ts';
import type { UnwellTarget } from './judge.ts';

/** Beyond so many, each further one says nothing new. */
const MOST_UNWELL = 10;

/** Targets that are passed over, once each, with the first host that has them. */
export function unwellTargets(hosts: Host[]): UnwellTarget[] {
  const found = new Map<string, UnwellTarget>();
  for (const host of hosts) {
    for (const { address, well } of host.rules.flatMap((rule) => rule.targets)) {
      if (well === false && !found.has(address)) found.set(address, { target: address, host: host.name });
    }
  }
  return [...found.values()].slice(0, MOST_UNWELL);
}

/** Whether all words of `text` stand in the name, a path or a target. */
export function hostFits(host: Host, text: string): boolean {
  const words = text.trim().toLowerCase().split(/\s+/);
  const rules = host.rules.flatMap((rule) => [...rule.paths, ...rule.targets.map((target) => target.address)]);
  const low = [host.name, ...host.protocols, ...rules].join('\n').toLowerCase();
  return words.every((word) => low.includes(word));
}
