import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { said } from '../../src/words/said.ts';
import { literals, read, root, rust, sample } from './rust.ts';

test('every fault of every broken file is told in German, as one line and as its two parts', () => {
  const folder = join(root, 'crates/config/tests/broken');
  const wrong: string[] = [];
  let count = 0;
  for (const name of readdirSync(folder)) {
    for (const line of faults(readFileSync(join(folder, name), 'utf8'))) {
      count++;
      const { text, english } = said(`gatehouse.toml:${line}`, 'de');
      if (english || rests(text)) wrong.push(`${name}: ${line}\n  ${text}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 300, `only ${count} faults were found`);
});

/** Where the texts of faults are made. */
const SOURCES = ['build', 'check', 'nearest.rs', 'reader', 'sections', 'syntax.rs', 'value'].map((name) => `crates/config/src/${name}`);

/** What stands around a text that is only a part of what is said. */
const AROUND: readonly ((part: string) => string)[] = [
  (part) => part,
  (part) => `"7" ${part}`,
  (part) => `7 is not ${part}`,
  (part) => `7 is ${part}`,
  (part) => `write ${part}`,
];

/** Said of settings in the manual, by other programs, or never alone. */
const NOT_SAID = [
  /^invalid /, /^missing (comma|escaped)/, /^unclosed /, /^unexpected /, /^unquoted /, /^cannot extend/, /^string values must/, /^duplicate key/, /^key with no value/,
  /^the box has no 7 "?7/, /^that the box has/, /^line 7$/, /^its default$/, /^, first in line 7$/, /^, such as "7"$/, /^7 \(line 7\)$/, /^did you mean 7\? Else $/, /^7 7$/, /^7:\/\//, /^ or$/, /^ and$/,
  /^ Name of/, /^it can not be read$/, /^7 is not 7$/, /is written twice7$/, /^7 is already 7 in line 7$/, /^7\/7 is already taken by 7 \(7\)$/, /^7 is already in zone 7$/, /^7 is already reached through zone 7/,
  /^zone 7 already leads out$/, /^write that of the box itself7$/,
  /^\[[^\]]*\]$/, /^\{ .* \}$/, /^ +\S+ = /,
];

test('every text of a fault in the sources of the configuration has German words', () => {
  const missing: string[] = [];
  let found = 0;
  for (const path of SOURCES.flatMap((path) => rust(path))) {
    for (const literal of literals(withoutShapes(read(path)))) {
      const text = sample(literal);
      if (!/[a-z] [a-z]|^is /.test(text) || NOT_SAID.some((pattern) => pattern.test(text))) continue;
      found++;
      if (!AROUND.some((around) => !said(around(text), 'de').english)) missing.push(`${path}: ${text}`);
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(found > 250, `only ${found} texts were found: are they made in another way now?`);
});

/** The expected faults of a file of broken files. */
function faults(text: string): string[] {
  const cases = text.split('--- ').slice(1);
  const expected = cases.flatMap((one) => (one.split('+++\n')[1] ?? '').split('\n'));
  return expected.filter((line) => line !== '' && line !== 'fine');
}

/** Whether something English was left in a German text: what stands in quotes is the operator's. */
function rests(text: string): boolean {
  const ours = text.replace(/^\S*:\d+: (?:(?:[^\s"`]|"(?:[^"\\]|\\.)*")+: )?/, '').replace(/`[^`]*`|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{.*\}|\w+ = \w+/g, '');
  return /\b(?:the|is|are|or|and|of|to|with|no|not|which|it|this|that|write|remove|by|line|needs|takes)\b/.test(ours);
}

/** Without what the documentation says of values, and what is written for examples. */
function withoutShapes(source: string): string {
  return source.replace(/Shape::Text\(\s*"(?:[^"\\]|\\[^])*"/g, '').replace(/(?:=|=>|\|) (?:\[.*\]|\{.*\}|"(?:[^"\\]|\\.)*");$/gm, ';').replace(/checked_name!\(\s*(?:\/\/\/.*\s*)*\w+, "(?:[^"\\]|\\[^])*"/g, '');
}
