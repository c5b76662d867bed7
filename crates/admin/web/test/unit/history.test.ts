import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { History } from '../../src/api/shapes.ts';
import { average, buckets, highest, latest, tracks } from '../../src/text/history.ts';

const series = (name: string, points: (number | null)[], host: string | null = null) => ({ name, host, unit: '1/s', kind: 'rate' as const, points });
const history: History = {
  step_seconds: 10,
  end: '2026-11-21T00:01:00.000Z',
  series: [
    series('requests_2xx', [1, null, 3, 4, 5, 6]),
    series('requests_5xx', [1, null, 0, null, 0, 1]),
    series('requests_2xx', [9, 9, 9, 9, 9, 9], 'hq.example'),
    series('rejected', [0, 9]),
  ],
};
const requests = { label: 'all', of: ['requests_2xx', 'requests_5xx'] };

test('series of the box are added up, and points get their times from the end', () => {
  const end = Date.parse(history.end) / 1000;
  const found = tracks(history, [{ label: 'rejected', of: ['rejected'] }, requests, { label: 'none', of: ['unknown'] }]);
  assert.deepEqual(found.times.map((time) => time - end), [-50, -40, -30, -20, -10, 0]);
  assert.deepEqual(found.tracks, [
    { label: 'rejected', points: [null, null, null, null, 0, 9] },
    { label: 'all', points: [2, null, 3, 4, 5, 7] },
  ]);
  assert.deepEqual(tracks({ ...history, series: [] }, [requests]), { times: [], tracks: [] });
});

test('figures of a track', () => {
  const points = [1, null, 3, null];
  assert.deepEqual([latest(points), highest(points), average(points)], [3, 3, 2]);
  assert.deepEqual([latest([null]), highest([]), average([])], [null, null, null]);
});

test('a table has averages, the newest first', () => {
  const found = buckets(tracks(history, [{ label: 'a', of: ['requests_2xx'] }]), 30);
  assert.deepEqual(found.map((bucket) => bucket.values), [[5], [2]]);
});
