import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { said } from '../../src/words/said.ts';

/** Where the box makes what it refuses with and what it writes down of operators. */
const SOURCES = [
  'crates/control/src/admission.rs',
  'crates/control/src/server/configuration.rs',
  'crates/gatehouse/src/supervisor/backend.rs',
  'crates/gatehouse/src/supervisor/change.rs',
  'crates/gatehouse/src/supervisor/gate.rs',
  'crates/gatehouse/src/supervisor/operators',
  'crates/gatehouse/src/supervisor/shown.rs',
  'crates/gatehouse/src/supervisor/state.rs',
  'crates/guard/src/operators',
];

/** What begins a text for an operator. */
const MAKERS = /(?:Refusal::\w+|\.audit|\.failed)\(\s*(?:\w+,\s*)?(?:format!\(\s*)?"((?:[^"\\]|\\[^])*)"|#\[error\(\s*"((?:[^"\\]|\\[^])*)"|let (?:text|none) =\s*"((?:[^"\\]|\\[^])*)"/g;

/** Nobody reads these in the pages: their requests are never made there, or they stand for a text that is looked at by itself. */
const NOT_SHOWN = [/can not be done with/, /^the control API has no/, /^factory reset: /, /^not root: /, /^7: it can not serve/, /^7: this kernel/, /^7: it is there now/, /^could not roll back/, /^7(: 7)?$/, /^who signed in was not kept/, /^the (?:ban list|leases) w/, /^7 \(7\)$/, /^gave the user 7 7$/];

test('every refusal and every entry about operators in the sources of the box has German words', () => {
  const root = join(process.env.GATEHOUSE_WEB ?? '.', '..', '..', '..');
  const missing: string[] = [];
  let found = 0;
  for (const path of SOURCES.flatMap((path) => rust(join(root, path)))) {
    const source = readFileSync(path, 'utf8').split('#[cfg(test)]')[0] ?? '';
    for (const [, ...texts] of source.matchAll(MAKERS)) {
      const text = sample(texts.find((one) => one !== undefined) ?? '');
      if (NOT_SHOWN.some((pattern) => pattern.test(text))) continue;
      found++;
      if (said(text, 'de').english) missing.push(`${path.slice(root.length)}: ${text}`);
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(found > 50, `only ${found} texts were found: are they made in another way now?`);
});

function rust(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).filter((name) => name.endsWith('.rs') && name !== 'tests.rs').map((name) => join(path, name));
}

/** The text with something in each gap. */
function sample(literal: string): string {
  return literal.replace(/\\\n\s*/g, '').replace(/\\(.)/g, '$1').replace(/\{[^}]*\}/g, '7');
}
