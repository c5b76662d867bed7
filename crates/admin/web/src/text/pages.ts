/** Where the admin pages will be once a text is in force: a quick look, the box alone reads it for certain. */

import { lines } from './diff.ts';

interface Zone {
  inside: boolean;
  addresses: string[];
}

/** The fixed addresses of inside zones with the port of the admin pages, as `address:port`. */
export function pageAddresses(text: string): string[] {
  const zones = new Map<string, Zone>();
  let port = 8443;
  let section = '';
  for (const line of lines(text)) {
    const head = /^\s*\[\s*([^[\]]+?)\s*\]\s*(#.*)?$/.exec(line);
    if (head?.[1] !== undefined) section = head[1];
    else if (/^\s*\[\[/.test(line)) section = '';
    const [, key, value] = /^\s*([a-z_]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    if (section === 'admin' && key === 'port') port = Number.parseInt(value, 10) || port;
    const name = /^network\.(.+)$/.exec(section)?.[1];
    if (name !== undefined) read(zones, name, key, value);
  }
  const all = [...zones.values()].filter((zone) => zone.inside).flatMap((zone) => zone.addresses);
  return [...new Set(all)].map((address) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`));
}

/** Addresses of the pages that `next` has and `now` has not. */
export function newPageAddresses(now: string, next: string): string[] {
  const known = new Set(pageAddresses(now));
  return pageAddresses(next).filter((address) => !known.has(address));
}

function read(zones: Map<string, Zone>, name: string, key: string, value: string): void {
  const zone = zones.get(name) ?? { inside: false, addresses: [] };
  if (key === 'trust') zone.inside = /^["']inside["']/.test(value);
  if (key === 'addresses') {
    const quoted = [...value.matchAll(/["']([^"']*)["']/g)].map((found) => found[1] ?? '');
    zone.addresses = quoted.filter((text) => /^[0-9a-f.:]+\/\d+$/i.test(text)).map((text) => text.replace(/\/.*/, ''));
  }
  zones.set(name, zone);
}
