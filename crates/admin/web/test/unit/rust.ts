/** The sources of the box, as far as tests look for texts in them. */

import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(process.env.GATEHOUSE_WEB ?? '.', '..', '..', '..');

/** The files of Rust at or below a path of the repository, without those of tests. */
export function rust(path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'tests' ? [] : rust(join(path, entry.name));
    return entry.name.endsWith('.rs') && entry.name !== 'tests.rs' ? [join(path, entry.name)] : [];
  });
}

/** A source without its tests and comments. */
export function read(path: string): string {
  const source = readFileSync(join(root, path), 'utf8').split('#[cfg(test)]')[0] ?? '';
  return source.replace(/^\s*\/\/(?!\/).*$/gm, '').replace(/^\s*\/\/\/.*$/gm, '').replace(/\.expect\(\s*"[^"]*"/g, '').replace(/reason = "[^"]*"/g, '');
}

/** Every text in quotes. */
export function literals(source: string): string[] {
  return [...source.replace(/'"'|'\\''|'\\"'/g, '').matchAll(/"((?:[^"\\]|\\[^])*)"/g)].map(([, text]) => text ?? '');
}

/** A text with something in each gap. */
export function sample(literal: string): string {
  return literal.replace(/\\\n\s*/g, '').replace(/\\(.)/g, '$1').replace(/\{\{/g, '\u0001').replace(/\}\}/g, '\u0002').replace(/\{[^{} ]*\}/g, '7').replace(/\u0001/g, '{').replace(/\u0002/g, '}');
}
