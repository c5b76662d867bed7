import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../src/api/shapes.ts';
import { daysLeft, judge } from '../../src/text/judge.ts';
import { keepsSession, places } from '../../src/text/places.ts';
import { de } from '../../src/words/de.ts';
import { en } from '../../src/words/en.ts';
import { formats } from '../../src/words/format.ts';

const well: Status = {
  version: '0.1.0', hostname: 'gate-hq', started: '2026-11-20T00:00:00.000Z', now: '2026-11-21T00:00:00.000Z',
  generation: { number: 4, created: '2026-11-20T00:00:00.000Z', origin: 'reload', state: 'active' },
  processes: [{ name: 'edge', pid: 7, since: '2026-11-20T00:00:00.000Z', restarts: 0, state: 'running' }],
  listeners: [{ service: 'proxy', protocol: 'https', address: '[::]:453', interface: null, fault: null }],
  certificates: [{ names: ['a.example'], source: 'files', expires: '2027-02-21T00:00:00.000Z', line: 9, problems: [] }],
  bans: 3, not_built: [], left_out: [], machine: { memory: 1000, memory_used: 400, memory_ours: 50, served_after_ms: 4000 },
};
const found = (change: Partial<Status>, targets: { target: string; host: string }[] = []) =>
  judge({ ...well, ...change }, targets, en, formats('en')).map((finding) => `${finding.level} ${finding.text}`);

test('a box that is well has no findings', () => assert.deepEqual(found({}), []));

test('what is not well is found, the worst first', () => {
  const certificate = well.certificates[0] as Status['certificates'][0];
  const texts = found(
    {
      not_built: [{ section: 'turn', line: 90 }, { section: 'dns', line: 99 }],
      machine: { memory: 1000, memory_used: 950, memory_ours: 50, served_after_ms: null },
      processes: [
        { name: 'edge', pid: null, since: well.now, restarts: 2, state: 'failed', reason: 'panic', retry_ms: 500 },
        { name: 'admin', pid: 7, since: well.now, restarts: 50, state: 'running' },
      ],
      certificates: [
        { ...certificate, expires: '2026-11-20T00:00:00.000Z' },
        { ...certificate, expires: '2026-11-22T00:00:00.000Z' },
        { ...certificate, expires: null },
        { ...certificate, names: ['b.example'], source: 'own', problems: ['temporary'] },
      ],
    },
    [{ target: '10.0.0.2:443', host: 'hq.example' }],
  );
  assert.deepEqual(texts, [
    'bad edge has failed:',
    'bad The certificate for a.example has ended. Clients refuse the connection.',
    'bad There is no certificate for a.example.',
    'bad Target 10.0.0.2:443 of hq.example is not well.',
    'warn admin was started anew 50 times.',
    'warn The certificate for a.example ends in 1 day.',
    'warn 95% of the memory is in use.',
    "note b.example: from the box's own CA. Phones and browsers will not trust it.",
    'note Not served by this version: turn, dns',
  ]);
  assert.equal(daysLeft('2026-11-20T23:00:00.000Z', '2026-11-21T00:00:00.000Z'), -1);
});

test('every text of one language has the same kind and arguments in the other', () => {
  const walk = (a: unknown, b: unknown, path: string) => {
    assert.equal(typeof a, typeof b, path);
    if (typeof a === 'function') assert.equal(a.length, (b as Function).length, path);
    else if (typeof a === 'object' && a !== null) {
      assert.deepEqual(Object.keys(a), Object.keys(b as object), path);
      for (const [key, value] of Object.entries(a)) walk(value, (b as { [key: string]: unknown })[key], `${path}.${key}`);
    } else assert.notEqual(b, '', path);
  };
  walk(en, de, 'words');
});

test('where the pages will be is told by the box, and by the name in use', () => {
  const told = ['https://192.168.1.4:9443/', 'https://[fd00::1]:9443/'];
  assert.deepEqual(places(told, { hostname: '192.168.1.4', host: '192.168.1.4:8443' }), ['192.168.1.4:9443', '[fd00::1]:9443']);
  assert.deepEqual(places(told, { hostname: 'gate.example', host: 'gate.example:8443' })[0], 'gate.example:9443');
  assert.deepEqual(places(['https://192.168.1.9:8443/'], { hostname: 'gate', host: 'gate:8443' }), ['192.168.1.9:8443']);
  assert.deepEqual(places(['https://192.168.1.9/'], { hostname: '[fd00::1]', host: '[fd00::1]:8443' }), ['192.168.1.9']);
  assert.deepEqual(places([], { hostname: 'gate', host: 'gate:8443' }), []);
  assert.ok(keepsSession('192.168.1.4:9443', '192.168.1.4') && keepsSession('[fd00::1]:9443', '[fd00::1]'));
  assert.ok(!keepsSession('192.168.1.9:8443', '192.168.1.4'));
});

test('sizes and numbers are written as the language does', () => {
  const [english, german] = [formats('en-GB'), formats('de-DE')];
  assert.deepEqual([0, 999, 1000, 1536, 5e9].map(english.bytes), ['0 byte', '999 byte', '1 kB', '1.54 kB', '5 GB']);
  assert.deepEqual([1000, 1536].map(english.memory), ['0.977 kB', '1.5 kB']);
  assert.equal(german.figure(1234.6), '1.235');
  assert.equal(german.figure(0.125), '0,125');
});
