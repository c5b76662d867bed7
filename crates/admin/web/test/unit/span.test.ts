import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, shortSpan, span } from '../../src/text/span.ts';

test('spans are told in their two largest units', () => {
  for (const [seconds, short, en, de] of [
    [0, '0s', '0 seconds', '0 Sekunden'],
    [45, '45s', '45 seconds', '45 Sekunden'],
    [300, '5m', '5 minutes', '5 Minuten'],
    [5400, '1h 30m', '1 hour 30 minutes', '1 Stunde 30 Minuten'],
    [172_800, '2d', '2 days', '2 Tage'],
    [176_461, '2d 1h', '2 days 1 hour', '2 Tage 1 Stunde'],
    [3601, '1h', '1 hour', '1 Stunde'],
  ] as const) {
    assert.equal(shortSpan(seconds), short);
    assert.equal(span(seconds, 'en'), en);
    assert.equal(span(seconds, 'de'), de);
  }
});

test('a clock runs down and not below zero', () => {
  assert.deepEqual([179, 60, 3600, 9, -4].map(clock), ['2:59', '1:00', '1:00:00', '0:09', '0:00']);
});
