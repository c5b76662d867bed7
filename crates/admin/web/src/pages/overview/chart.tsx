/** A graph over time. What it shows is also in a table; here it is a picture with a summary. */

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { colours } from '../../box/preferences.ts';
import { useStore } from '../../box/store.ts';
import { highest, latest } from '../../text/history.ts';
import { useWords } from '../../words/use.ts';

export interface Line {
  label: string;
  points: (number | null)[];
}

interface ChartProps {
  title: string;
  unit: string;
  summary: string;
  times: number[];
  lines: Line[];
  format: (value: number) => string;
  /** A day is shown, not an hour. */
  day: boolean;
  /** The scale goes by powers of two. */
  binary: boolean;
}

const HEIGHT = 150;
/** Steps of a scale of memory, 1 kB to 1 TB. */
const BINARY = Array.from({ length: 31 }, (_, power) => 2 ** (power + 10));
const LINE_COLOURS = ['--line-1', '--line-2'] as const;

export function Chart({ title, unit, summary, times, lines, format, day, binary }: ChartProps) {
  const { w, f } = useWords();
  const painted = useStore(colours);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const data: uPlot.AlignedData = [times, ...lines.map((line) => line.points)];

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const width = () => Math.max(200, Math.floor(element.clientWidth));
    const drawn = new uPlot({ ...options(element, lines.length, format, f.short, binary), width: width(), height: HEIGHT, hooks: { setCursor: [moved] } }, data, element);
    function moved(u: uPlot) {
      setAt(u.cursor.idx ?? null);
    }
    plot.current = drawn;
    const watcher = new ResizeObserver(() => drawn.setSize({ width: width(), height: HEIGHT }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      plot.current = null;
      drawn.destroy();
    };
    // A change of language, colours or number of lines draws anew; new figures do not.
  }, [f, painted, lines.length, day]);

  useEffect(() => plot.current?.setData(data), [times, lines]);

  const value = (line: Line) => (at === null ? latest(line.points) : (line.points[at] ?? null));
  const when = at === null ? undefined : times[at];
  return (
    <>
      <figcaption>
        <b>{title}</b> <span class="unit">{unit}</span>
        <span class="hint">
          {when === undefined ? `${w.overview.highest} ${say(top(lines), format)}` : f.short(new Date(when * 1000))}
        </span>
      </figcaption>
      <p class="readout">
        {lines.map((line, index) => (
          <span key={line.label} class={`reading line-${index + 1}`}>
            {lines.length > 1 && `${line.label} `}
            <b>{say(value(line), format)}</b>
          </span>
        ))}
      </p>
      <div class="chart" ref={box} role="img" aria-label={summary} />
    </>
  );
}

function say(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}

function top(lines: Line[]): number | null {
  return highest(lines.map((line) => highest(line.points)));
}

function options(
  element: HTMLElement,
  count: number,
  format: (value: number) => string,
  time: (at: Date) => string,
  binary: boolean,
): Omit<uPlot.Options, 'width' | 'height'> {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim() || '#888';
  const font = `12px ${style.fontFamily}`;
  const axis = { stroke: colour('--muted'), font, ticks: { show: false } };
  return {
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 60, values: (_u, at) => at.map((second) => time(new Date(second * 1000))) },
      { ...axis, grid: { stroke: colour('--line'), width: 1 }, size: 62, space: 26, ...(binary ? { incrs: BINARY } : {}), values: (_u, at) => at.map((value) => format(value)) },
    ],
    series: [
      {},
      ...LINE_COLOURS.slice(0, count).map((name, index) => ({
        stroke: colour(name),
        width: 1.5,
        spanGaps: false,
        points: { show: false },
        ...(index === 0 ? { fill: colour('--line-fill') } : {}),
      })),
    ],
  };
}
