/** What goes through the box, as graphs and as a table. */

import { useMemo, useState } from 'preact/hooks';
import type { History } from '../../api/shapes.ts';
import { useLoad } from '../../box/load.ts';
import { Switch } from '../../parts/form.tsx';
import { Card } from '../../parts/page.tsx';
import { Ready } from '../../parts/said.tsx';
import { Table, type Column } from '../../parts/table.tsx';
import { average, buckets, highest, latest, tracks, type Bucket, type Tracks, type Wanted } from '../../text/history.ts';
import { useWords, type Formats, type Words } from '../../words/use.ts';
import { Chart } from './chart.tsx';

type Span = 'hour' | 'day';

/** What is asked for, how often, and how long a row of the table is; all in seconds. */
const SPANS: { [name in Span]: { seconds: number; every: number; row: number } } = {
  hour: { seconds: 3600, every: 10, row: 300 },
  day: { seconds: 86_400, every: 60, row: 3600 },
};

const CLASSES = ['requests_1xx', 'requests_2xx', 'requests_3xx', 'requests_4xx', 'requests_5xx'];

interface Graph {
  title: string;
  unit: string;
  lines: readonly Wanted[];
  format: (value: number) => string;
  /** Its scale goes by powers of two. */
  binary?: boolean;
}

export function Traffic() {
  const { w } = useWords();
  const [span, setSpan] = useState<Span>('hour');
  const { seconds, every } = SPANS[span];
  const history = useLoad<History>(`/history?seconds=${seconds}`, every * 1000);
  const choice = (
    <Switch label={w.overview.span} value={span} onValue={setSpan} options={[['hour', w.overview.hour], ['day', w.overview.day]]} />
  );
  return (
    <Card title={w.overview.traffic} actions={choice}>
      <Ready of={history}>{(data) => <Graphs history={data} span={span} />}</Ready>
    </Card>
  );
}

function Graphs({ history, span }: { history: History; span: Span }) {
  const { w, f } = useWords();
  const graphs = useMemo(() => all(w, f), [w, f]);
  const found = useMemo(() => graphs.map((graph) => tracks(history, graph.lines)), [history, graphs]);
  if (found.every(({ times }) => times.length === 0)) return <p class="empty">{w.overview.noFigures}</p>;
  return (
    <>
      <div class="graphs">
        {graphs.map((graph, index) => (
          <GraphView key={graph.title} graph={graph} tracks={found[index] ?? { times: [], tracks: [] }} day={span === 'day'} />
        ))}
      </div>
      <details>
        <summary>{w.overview.asTable}</summary>
        <Figures graphs={graphs} found={found} row={SPANS[span].row} />
      </details>
    </>
  );
}

function all({ overview }: Words, f: Formats): Graph[] {
  const one = (label: string, ...of: string[]): Wanted => ({ label, of });
  return [
    {
      title: overview.requests, unit: overview.requestsUnit, format: f.figure,
      lines: [one(overview.all, ...CLASSES), one(overview.failing, 'requests_5xx')],
    },
    {
      title: overview.bytes, unit: overview.bytesUnit, format: f.bytes,
      lines: [one(overview.received, 'bytes_received'), one(overview.sent, 'bytes_sent')],
    },
    { title: overview.rejected, unit: overview.rejectedUnit, format: f.figure, lines: [one(overview.rejected, 'rejected')] },
    { title: overview.connections, unit: overview.connectionsUnit, format: f.figure, lines: [one(overview.connections, 'connections')] },
    { title: overview.processor, unit: overview.processorUnit, format: f.figure, lines: [one(overview.processor, 'cpu')] },
    {
      title: overview.memory, unit: overview.memoryUnit, format: f.memory, binary: true,
      lines: [one(overview.ours, 'memory_ours'), one(overview.used, 'memory_used')],
    },
  ];
}

function GraphView({ graph, tracks: { times, tracks }, day }: { graph: Graph; tracks: Tracks; day: boolean }) {
  const { w } = useWords();
  const say = (value: number | null) => (value === null ? '–' : graph.format(value));
  const first = tracks[0]?.points ?? [];
  return (
    <figure class="graph">
      <Chart
        title={graph.title}
        unit={graph.unit}
        binary={graph.binary ?? false}
        summary={w.overview.chart(`${graph.title} (${graph.unit})`, say(latest(first)), say(highest(first)))}
        times={times}
        lines={tracks}
        format={graph.format}
        day={day}
      />
    </figure>
  );
}

function Figures({ graphs, found, row }: { graphs: Graph[]; found: Tracks[]; row: number }) {
  const { w, f } = useWords();
  const flat = graphs.flatMap((graph, index) =>
    (found[index]?.tracks ?? []).map((track) => {
      const { length } = graph.lines;
      return { graph, track, head: length > 1 ? `${graph.title}, ${track.label}` : graph.title };
    }),
  );
  const say = (graph: Graph, value: number | null | undefined) => (value === null || value === undefined ? '–' : graph.format(value));
  const sums: Column<(typeof flat)[0]>[] = [
    { head: w.overview.name, cell: ({ head }) => head },
    { head: w.overview.unit, cell: ({ graph }) => graph.unit },
    { head: w.overview.now, number: true, cell: ({ graph, track }) => say(graph, latest(track.points)) },
    { head: w.overview.average, number: true, cell: ({ graph, track }) => say(graph, average(track.points)) },
    { head: w.overview.highest, number: true, cell: ({ graph, track }) => say(graph, highest(track.points)) },
  ];
  const times = found.find((one) => one.times.length > 0)?.times ?? [];
  const merged = buckets({ times, tracks: flat.map(({ track }) => track) }, row);
  const columns: Column<Bucket>[] = [
    { head: w.overview.time, cell: (bucket) => f.short(new Date(bucket.time * 1000)) },
    ...flat.map(({ graph, head }, index) => ({
      head,
      number: true,
      cell: (bucket: Bucket) => say(graph, bucket.values[index]),
    })),
  ];
  return (
    <>
      <Table caption={w.overview.traffic} columns={sums} rows={flat} id={(row) => row.head} />
      <div class="scrolls" role="region" aria-label={w.overview.asTable} tabIndex={0}>
        <Table caption={w.overview.asTable} columns={columns} rows={merged} id={(bucket) => bucket.time} step={24} />
      </div>
    </>
  );
}
