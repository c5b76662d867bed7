/** Figures over time: what the charts draw and what their tables say. */

import type { History } from '../api/shapes.ts';

export interface Track {
  /** `requests`, `bytes_received`, … */
  name: string;
  points: (number | null)[];
}

export interface Tracks {
  /** Seconds since 1970 of each point. */
  times: number[];
  tracks: Track[];
}

/** The named series of a history, with the times of their points. */
export function tracks(history: History, names: readonly string[]): Tracks {
  const found = names.flatMap((name) => history.series.filter((series) => series.name === name));
  const count = Math.max(0, ...found.map((series) => series.points.length));
  const end = Date.parse(history.end) / 1000;
  return {
    times: Array.from({ length: count }, (_, i) => end - (count - 1 - i) * history.step_seconds),
    tracks: found.map((series) => ({
      name: series.name,
      // What a shorter one lacks is its beginning.
      points: [...new Array<null>(count - series.points.length).fill(null), ...series.points],
    })),
  };
}

/** The last value that is known. */
export function latest(points: readonly (number | null)[]): number | null {
  for (let i = points.length - 1; i >= 0; i--) {
    const point = points[i];
    if (point !== null && point !== undefined) return point;
  }
  return null;
}

export function highest(points: readonly (number | null)[]): number | null {
  return points.reduce<number | null>((most, point) => (point !== null && (most === null || point > most) ? point : most), null);
}

export function average(points: readonly (number | null)[]): number | null {
  const known = points.filter((point) => point !== null);
  return known.length === 0 ? null : known.reduce((sum, point) => sum + point, 0) / known.length;
}

export interface Bucket {
  /** Seconds since 1970 of its end. */
  time: number;
  /** Average of each track. */
  values: (number | null)[];
}

/** Averages over `seconds` each, the newest first: what a table can hold. */
export function buckets({ times, tracks }: Tracks, seconds: number): Bucket[] {
  const ends = [...new Set(times.map((time) => Math.ceil(time / seconds) * seconds))];
  const result = ends.map((end) => {
    const inside = times.flatMap((time, i) => (time > end - seconds && time <= end ? [i] : []));
    return { time: end, values: tracks.map((track) => average(inside.map((i) => track.points[i] ?? null))) };
  });
  return result.reverse();
}
