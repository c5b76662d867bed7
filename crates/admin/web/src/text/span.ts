/** Spans of time, as people say them. */

const UNITS = [
  ['day', 86_400, 'd'],
  ['hour', 3_600, 'h'],
  ['minute', 60, 'm'],
  ['second', 1, 's'],
] as const;

/** Seconds in words of `language`: the two largest units, which is exact enough for reading. */
export function span(seconds: number, language: string, style: 'long' | 'short' = 'long'): string {
  return parts(seconds)
    .map(([count, unit]) => unitFormat(language, unit, style).format(count))
    .join(' ');
}

/** Seconds as the log writes them: `45s`, `5m`, `1h 30m`, `2d`. */
export function shortSpan(seconds: number): string {
  return parts(seconds)
    .map(([count, , letter]) => `${count}${letter}`)
    .join(' ');
}

/** Seconds as a clock that runs down: `2:59`, `1:00:00`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (count: number) => String(count).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

type Part = readonly [count: number, unit: 'day' | 'hour' | 'minute' | 'second', letter: string];

function parts(seconds: number): Part[] {
  let left = Math.max(0, Math.floor(seconds));
  const counted = UNITS.map(([unit, size, letter]): Part => {
    const count = Math.floor(left / size);
    left -= count * size;
    return [count, unit, letter];
  });
  const first = counted.findIndex(([count]) => count > 0);
  if (first < 0) return [[0, 'second', 's']];
  return counted.slice(first, first + 2).filter(([count]) => count > 0);
}

const formats = new Map<string, Intl.NumberFormat>();

function unitFormat(language: string, unit: string, unitDisplay: 'long' | 'short'): Intl.NumberFormat {
  const key = `${language} ${unit} ${unitDisplay}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay });
    formats.set(key, format);
  }
  return format;
}
