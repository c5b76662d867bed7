import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counts, diffLines, lines, parseUnified, type DiffRow } from '../../src/text/diff.ts';

const SIGNS = { same: ' ', out: '-', in: '+', gap: '@' };
const text = (rows: DiffRow[]) => rows.map((row) => SIGNS[row.kind] + row.text).join('|');

test('differences are found', () => {
  for (const [older, newer, expected] of [
    ['', '', ''],
    ['a\n', 'a\n', ''],
    ['a\n', 'a', ''],
    ['', 'a\nb\n', '+a|+b'],
    ['a\nb\n', '', '-a|-b'],
    ['a\nb\nc\n', 'a\nx\nc\n', ' a|-b|+x| c'],
    ['a\nb\nc\nd\n', 'b\nc\nd\ne\n', '-a| b| c| d|+e'],
    ['1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n2\n3\n4\nx\n5\n6\n7\n8\n9\n', '@| 2| 3| 4|+x| 5| 6| 7|@'],
  ] as const) {
    assert.equal(text(diffLines(older, newer)), expected);
  }
});

test('every difference leads from the older text to the newer', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  for (let round = 0; round < 300; round++) {
    const make = () => Array.from({ length: random(30) }, () => 'abcde'[random(5)] ?? '');
    const [a, b] = [make(), make()];
    const rows = diffLines(a.join('\n'), b.join('\n'), 1000);
    const side = (kind: DiffRow['kind']) => rows.filter((row) => row.kind === 'same' || row.kind === kind);
    if (rows.length === 0) assert.deepEqual(a, b);
    else {
      assert.deepEqual(side('out').map((row) => row.text), lines(a.join('\n')));
      assert.deepEqual(side('in').map((row) => row.text), lines(b.join('\n')));
      assert.deepEqual(side('out').map((row) => row.old), a.map((_, i) => i + 1));
      assert.deepEqual(side('in').map((row) => row.new), b.map((_, i) => i + 1));
    }
  }
});

test('texts that have nothing in common are replaced, and soon', () => {
  const make = (sign: string) => Array.from({ length: 4000 }, (_, i) => sign + i).join('\n');
  assert.deepEqual(counts(diffLines(make('a'), make('b'))), { added: 4000, removed: 4000 });
});

test('a unified difference is read with its line numbers', () => {
  const unified = '--- generation 1\n+++ generation 2\n@@ -4,3 +4,3 @@\n same\n--- old\n+++ new\n same\n\\ No newline at end of file\n';
  assert.deepEqual(parseUnified(unified), [
    { kind: 'gap', text: '' },
    { kind: 'same', old: 4, new: 4, text: 'same' },
    { kind: 'out', old: 5, text: '-- old' },
    { kind: 'in', new: 5, text: '++ new' },
    { kind: 'same', old: 6, new: 6, text: 'same' },
  ]);
  assert.deepEqual(parseUnified(''), []);
});
