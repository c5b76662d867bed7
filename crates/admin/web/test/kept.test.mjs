// That a compressed file which is not what it should be is noticed.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { faultsOf } from '../kept.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist');

test('what browsers get is what was built', () => {
  assert.deepEqual(faultsOf(dist), []);
});

test('other content in a compressed file, and a list of other files, are noticed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-kept-'));
  const tried = (change) => {
    cpSync(dist, folder, { recursive: true });
    change();
    const faults = faultsOf(folder);
    rmSync(folder, { recursive: true });
    return faults.join('\n');
  };
  const { script } = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));
  assert.match(tried(() => writeFileSync(join(folder, `${script}.br`), brotliCompressSync(Buffer.from('alert(1)')))), /holds something else[^]*lists other files/);
  assert.match(tried(() => writeFileSync(join(folder, 'index.html.br'), 'no brotli')), /holds something else/);
  assert.match(tried(() => rmSync(join(folder, 'index.html.br'))), /not there compressed/);
  assert.match(tried(() => writeFileSync(join(folder, 'more.js.br'), '')), /there is no plain file/);
  assert.match(tried(() => writeFileSync(join(folder, 'manifest.json'), '{"script":"a","style":"b","page":"index.html","files":{}}')), /lists other files[^]*does not load a/);
});
