// What is wrong with a folder of built files: a compressed file that holds something else, a list that names other files.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

/** Browsers get the compressed files: each must hold what its plain one does, and the list must be of these files. */
export function faultsOf(folder) {
  const faults = [];
  const names = readdirSync(folder).filter((name) => name !== 'manifest.json');
  const read = (name) => readFileSync(join(folder, name));
  const plain = names.filter((name) => !name.endsWith('.br'));
  const files = {};
  for (const name of names) {
    if (name.endsWith('.br') && !plain.includes(name.slice(0, -3))) faults.push(`${name}: there is no plain file`);
  }
  for (const name of plain.sort()) {
    if (!names.includes(`${name}.br`)) {
      faults.push(`${name}: it is not there compressed`);
      continue;
    }
    const [bytes, packed] = [read(name), read(`${name}.br`)];
    if (unpacked(packed)?.equals(bytes) !== true) faults.push(`${name}.br: it holds something else than ${name}`);
    files[name] = { bytes: bytes.length, sha256: sha256(bytes), br_bytes: packed.length, br_sha256: sha256(packed) };
  }
  const list = JSON.parse(read('manifest.json').toString('utf8'));
  if (JSON.stringify(list.files) !== JSON.stringify(files)) faults.push('manifest.json: it lists other files');
  const page = plain.includes(list.page) ? read(list.page).toString('utf8') : '';
  for (const name of [list.script, list.style]) {
    if (!page.includes(`/assets/${name}"`)) faults.push(`manifest.json: ${list.page} does not load ${name}`);
  }
  return faults;
}

function unpacked(bytes) {
  try {
    return brotliDecompressSync(bytes);
  } catch {
    return undefined;
  }
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = faultsOf(process.argv[2]);
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
