import assert from 'node:assert/strict';
import { test } from 'node:test';
import { average, buckets, highest, latest, tracks } from '../../src/text/history.ts';

const history = {
  step_seconds: 10,
  end: '2026-11-21T00:01:00.000Z',
  series: [
    { name: 'requests', unit: '1/s', kind: 'rate', points: [1, null, 3, 4, 5, 6] },
    { name: 'rejected', unit: '1/s', kind: 'rate', points: [0, 9] },
  ],
};

test('points get their times from the end', () => {
  const end = Date.parse(history.end) / 1000;
  const found = tracks(history, ['rejected', 'requests', 'unknown']);
  assert.deepEqual(found.times.map((time) => time - end), [-50, -40, -30, -20, -10, 0]);
  assert.deepEqual(found.tracks.map((track) => track.points), [[null, null, null, null, 0, 9], [1, null, 3, 4, 5, 6]]);
  assert.deepEqual(tracks({ ...history, series: [] }, ['requests']), { times: [], tracks: [] });
});

test('figures of a track', () => {
  const points = [1, null, 3, null];
  assert.deepEqual([latest(points), highest(points), average(points)], [3, 3, 2]);
  assert.deepEqual([latest([null]), highest([]), average([])], [null, null, null]);
});

test('a table has averages, the newest first', () => {
  const found = buckets(tracks(history, ['requests']), 30);
  assert.deepEqual(found.map((bucket) => bucket.values), [[5], [2]]);
});
