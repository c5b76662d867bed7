/** Numbers, sizes and times as the reader's language writes them. */

import { clock, span } from '../text/span.ts';

export interface Formats {
  language: string;
  /** A whole number. */
  count(value: number): string;
  /** A number with up to three significant digits. */
  figure(value: number): string;
  /** A number of bytes that move, in powers of 1000. */
  bytes(value: number): string;
  /** Memory, in powers of 1024. */
  memory(value: number): string;
  percent(share: number): string;
  /** Seconds in words. */
  span(seconds: number, style?: 'long' | 'short'): string;
  /** A fraction of a second or some: `12 ms`, `1.5 s`. */
  seconds(seconds: number): string;
  clock(seconds: number): string;
  /** Date and time. */
  moment(time: string): string;
  day(time: string): string;
  /** Time of day with seconds. */
  time(time: string): string;
  /** Hours and minutes. */
  short(time: Date): string;
}

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export function formats(language: string): Formats {
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const rough = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
  const sizes = SIZES.map(
    (unit) => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short', maximumSignificantDigits: 3 }),
  );
  const timed = (unit: string) => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short', maximumSignificantDigits: 2 });
  const [milliseconds, seconds] = [timed('millisecond'), timed('second')];
  const sized = (value: number, step: number) => {
    let [left, size] = [value, 0];
    while (left >= 1000 && size < SIZES.length - 1) {
      left /= step;
      size++;
    }
    return (sizes[size] as Intl.NumberFormat).format(left);
  };
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const time = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  const short = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const valid = (format: Intl.DateTimeFormat) => (text: string) => {
    const at = new Date(text);
    return Number.isNaN(at.getTime()) ? text : format.format(at);
  };
  return {
    language,
    count: (value) => whole.format(value),
    figure: (value) => (Math.abs(value) >= 1000 ? whole : rough).format(value),
    bytes: (value) => sized(value, 1000),
    memory: (value) => sized(value, 1024),
    percent: (value) => share.format(value),
    span: (seconds, style = 'long') => span(seconds, language, style),
    seconds: (value) => (value < 1 ? milliseconds.format(value * 1000) : seconds.format(value)),
    clock,
    moment: valid(date),
    day: valid(day),
    time: valid(time),
    short: (at) => short.format(at),
  };
}
