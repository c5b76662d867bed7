import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { capacity, qrCode } from '../../src/qr/code.ts';
import { remainder } from '../../src/qr/field.ts';

test('the error correction of the standard\'s own example', () => {
  // ISO/IEC 18004, annex I: "01234567" as version 1-M.
  const data = [0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11];
  assert.deepEqual(remainder(data, 10), [0xa5, 0x24, 0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55]);
});

test('each version holds what the standard says', () => {
  const table = [14, 26, 42, 62, 84, 106, 122, 152, 180, 213];
  assert.deepEqual(table.map((_, i) => capacity(i + 1)), table);
  table.forEach((bytes, i) => assert.equal(qrCode('x'.repeat(bytes)).length, 21 + 4 * i));
  assert.throws(() => qrCode('x'.repeat(214)), RangeError);
});

test('a decoder reads what was written, in every version', (context) => {
  if (spawnSync('zbarimg', ['--version']).error) return context.skip('zbarimg is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-qr-'));
  try {
    for (let version = 1; version <= 10; version++) {
      const start = 'otpauth://totp/Gatehouse:anna?secret=';
      const text = (version < 4 ? '' : start) + 'JBSWY3DPEHPK3PXP'.repeat(20);
      const fitting = [...text].slice(0, capacity(version) - (version < 4 ? 0 : 1)).join('');
      const file = join(folder, `${version}.pgm`);
      writeFileSync(file, picture(qrCode(fitting)));
      const { stdout } = spawnSync('zbarimg', ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', file], { encoding: 'utf8' });
      assert.equal(stdout.trimEnd(), fitting, `version ${version}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A grey picture of a code with its quiet zone, four pixels a module. */
function picture(rows: boolean[][]): Buffer {
  const [scale, quiet] = [4, 4];
  const size = (rows.length + 2 * quiet) * scale;
  const pixels = Buffer.alloc(size * size, 255);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const dark = rows[Math.floor(y / scale) - quiet]?.[Math.floor(x / scale) - quiet];
      if (dark) pixels[y * size + x] = 0;
    }
  }
  return Buffer.concat([Buffer.from(`P5 ${size} ${size} 255\n`), pixels]);
}
