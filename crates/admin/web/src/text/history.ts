/** Figures over time: what the charts draw and what their tables say. */

import type { History } from '../api/shapes.ts';

type Points = (number | null)[];

/** One line of a graph: the sum of some series of the box. */
export interface Wanted {
  label: string;
  /** Names of the series, such as `rejected`. */
  of: readonly string[];
}

export interface Track {
  label: string;
  points: Points;
}

export interface Tracks {
  /** Seconds since 1970 of each point. */
  times: number[];
  tracks: Track[];
}

/** What is wanted of a history, as far as it is there, with the times of the points. */
export function tracks(history: History, wanted: readonly Wanted[]): Tracks {
  // Those of a single host are in there as well, under the same names.
  const whole = history.series.filter((series) => series.host === null);
  const found = wanted.flatMap(({ label, of }) => {
    const parts = whole.filter((series) => of.includes(series.name)).map((series) => series.points);
    return parts.length === 0 ? [] : [{ label, points: sum(parts) }];
  });
  const count = Math.max(0, ...found.map(({ points }) => points.length));
  const end = Date.parse(history.end) / 1000;
  return {
    times: Array.from({ length: count }, (_, i) => end - (count - 1 - i) * history.step_seconds),
    // What a shorter one lacks is its beginning.
    tracks: found.map(({ label, points }) => ({ label, points: [...new Array<null>(count - points.length).fill(null), ...points] })),
  };
}

/** The last value that is known. */
export function latest(points: Readonly<Points>): number | null {
  for (let i = points.length - 1; i >= 0; i--) {
    const point = points[i];
    if (point !== null && point !== undefined) return point;
  }
  return null;
}

export function highest(points: Readonly<Points>): number | null {
  return points.reduce((most, point) => (point !== null && (most === null || point > most) ? point : most), null);
}

export function average(points: Readonly<Points>): number | null {
  const known = points.filter((point) => point !== null);
  return known.length === 0 ? null : known.reduce((sum, point) => sum + point, 0) / known.length;
}

export interface Bucket {
  /** Seconds since 1970 of its end. */
  time: number;
  /** Average of each track. */
  values: Points;
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

/** Not known where none of them is. */
function sum(parts: Points[]): Points {
  const [first, ...others] = parts;
  return others.reduce(
    (all, part) => all.map((value, i) => (value === null ? (part[i] ?? null) : value + (part[i] ?? 0))),
    first ?? [],
  );
}
