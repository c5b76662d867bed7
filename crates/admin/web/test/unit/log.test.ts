import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser } from '../../src/api/events.ts';
import type { Record } from '../../src/api/shapes.ts';
import { EVERYTHING, entry, fits } from '../../src/text/filter.ts';
import { clientOf, line, urlOf } from '../../src/text/line.ts';
import { Ring } from '../../src/text/ring.ts';
import { visible } from '../../src/text/visible.ts';

const rejected: Record = {
  id: 7, time: '2026-11-21T01:42:47.042Z', event: 'decision', service: 'proxy', protocol: 'https', client: '203.0.113.9:51812',
  host: 'hq.example', asked: 'GET /PBX0/FOO', outcome: 'rejected', status: 404, reason: 'no path of the host matches', blame: 'peer', rule: 77,
};
const banned: Record = { id: 8, time: '2026-11-21T01:42:48.000Z', event: 'banned', client: '2001:db8::', seconds: 300, reason: '21 offences' };

test('a record reads as on the command line', () => {
  const at = { id: 1, time: '2026-11-21T01:42:47.042Z' };
  for (const [record, expected] of [
    [rejected, 'rejected 203.0.113.9:51812 https hq.example GET /PBX0/FOO: no path of the host matches (line 77)'],
    [{ ...rejected, host: '', asked: '', rule: null }, 'rejected 203.0.113.9:51812 https -: no path of the host matches'],
    [
      { ...at, event: 'decision', service: 'proxy', protocol: 'https', client: '[2001:db8::1]:9', host: 'h', asked: 'GET /', outcome: 'forwarded', target: '10.0.0.2:443', new: true, rule: 80 },
      'forwarded [2001:db8::1]:9 https h GET / -> 10.0.0.2:443 (new) (line 80)',
    ],
    [{ ...at, event: 'unbanned', client: '203.0.113.9', lifted: true }, 'unbanned 203.0.113.9: by the operator'],
    [{ ...at, event: 'service', name: 'edge', state: 'failed', reason: 'x', retry_ms: 1250 }, 'service edge failed: x; again in 1.2s'],
    [{ ...at, event: 'config', generation: 3, change: 'refused', reason: 'a\nb\n' }, 'config refused, generation 3 stays in force: a; b'],
    [{ ...at, event: 'config', generation: 3, change: 'trial', seconds: 180 }, 'config generation 3 is in force on trial: rolled back in 3m unless confirmed'],
    [{ ...at, event: 'certificate', names: ['a', 'b'], text: 't' }, 'certificate a, b: t'],
    [{ ...at, event: 'audit', actor: 'anna', client: '192.0.2.7', text: 'signed in' }, 'audit anna at 192.0.2.7: signed in'],
    [{ ...at, event: 'audit', actor: 'local', client: null, text: 'x' }, 'audit local: x'],
    [{ ...at, event: 'later', more: 1 } as unknown as Record, 'later {"id":1,"time":"2026-11-21T01:42:47.042Z","event":"later","more":1}'],
    [{ ...at, event: 'dropped', count: 5 }, 'dropped 5 records: they came faster than they could be taken'],
  ] as [Record, string][]) {
    assert.equal(line(record), `2026-11-21T01:42:47Z ${expected}`);
  }
  assert.equal(line(banned), '2026-11-21T01:42:48Z banned 2001:db8::/64 for 5m: 21 offences');
});

test('what a stranger writes can neither hide nor turn what is around it', () => {
  assert.equal(visible('a\nb\t\u202e<img src=x>\u0000é漢'), 'a\\nb\\t\\u{202e}<img src=x>\\0é漢');
  assert.equal(visible('x'.repeat(2000)), `${'x'.repeat(1024)}…`);
});

test('what was asked can be asked again, where it was a request of the web', () => {
  const of = (part: object) => urlOf({ event: 'decision', id: 1, time: '', service: 'proxy', protocol: 'https', client: '192.0.2.1:5', host: 'a.example', asked: 'GET /a?b', rule: 1, outcome: 'answered', status: 404, reason: '', ...part } as Parameters<typeof urlOf>[0]);
  assert.equal(of({}), 'https://a.example/a?b');
  for (const part of [{ protocol: 'sip' }, { host: '' }, { asked: 'HTTP/2 connection' }, { asked: '' }]) assert.equal(of(part), null);
});

test('records are found by text, service, client and outcome', () => {
  const found = (wanted: Partial<typeof EVERYTHING>) =>
    [rejected, banned].map((record) => fits(entry(record), { ...EVERYTHING, ...wanted }));
  assert.deepEqual(found({}), [true, true]);
  assert.deepEqual(found({ text: 'PBX0 foo' }), [true, false]);
  assert.deepEqual(found({ text: ' line 77 ' }), [true, false]);
  assert.deepEqual(found({ service: 'guard' }), [false, true]);
  assert.deepEqual(found({ client: '203.0.113.' }), [true, false]);
  assert.deepEqual(found({ outcome: 'rejected' }), [true, false]);
  assert.deepEqual(found({ outcome: 'forwarded' }), [false, false]);
  assert.deepEqual(found({ outcome: 'other' }), [false, true]);
  assert.equal(clientOf({ ...rejected, client: '[2001:db8::1]:443' }), '2001:db8::1');
});

test('the newest records are kept, and lost ones counted', () => {
  const ring = new Ring(3);
  const notice = (id: number): Record => ({ id, time: '', event: 'notice', service: 'edge', text: String(id) });
  ring.add([notice(1), notice(2)]);
  ring.add([notice(2), { id: 3, time: '', event: 'dropped', count: 40 }, notice(4), notice(5)]);
  assert.deepEqual(ring.entries.map((kept) => kept.record.id), [3, 4, 5]);
  assert.deepEqual([ring.lost, ring.left], [40, 2]);
  const seen = ring.entries;
  ring.add([notice(6)]);
  assert.equal(seen[seen.length - 1]?.record.id, 5);
});

test('events are taken apart wherever the stream is cut', () => {
  const stream = ': hello\r\n\r\nid: 5\nevent: record\ndata: {"a":\ndata: 1}\n\ndata:x\r\rid: 6\n\nretry: 5\nevent: record\nid\ndata\n\n';
  const expected = [
    { id: '5', event: 'record', data: '{"a":\n1}' },
    { id: '5', event: 'message', data: 'x' },
    { id: '', event: 'record', data: '' },
  ];
  assert.deepEqual(new EventParser().feed(stream), expected);
  for (let cut = 1; cut < stream.length; cut++) {
    const parser = new EventParser();
    assert.deepEqual([...parser.feed(stream.slice(0, cut)), ...parser.feed(stream.slice(cut))], expected, `cut at ${cut}`);
  }
});
