/** All generations: compare two of them, go back, go on from one. */

import { useState } from 'preact/hooks';
import { CHANGE_TIMEOUT, call } from '../../api/client.ts';
import type { Applied, ConfigText, Generation } from '../../api/shapes.ts';
import { useAction } from '../../box/action.ts';
import { useLoad } from '../../box/load.ts';
import { tell } from '../../box/news.ts';
import { refreshStatus } from '../../box/status.ts';
import { ask } from '../../parts/dialog.tsx';
import { Choice, Form } from '../../parts/form.tsx';
import { Card } from '../../parts/page.tsx';
import { Badge, FailureNote, Ready, Said, type Tone } from '../../parts/said.tsx';
import { Table, type Column } from '../../parts/table.tsx';
import { diffLines, type DiffRow } from '../../text/diff.ts';
import { useWords } from '../../words/use.ts';
import { tellApplied } from './apply.tsx';
import { DiffView } from './diff-view.tsx';

interface HistoryProps {
  current: ConfigText;
  may: boolean;
  onEdit: (text: string) => void;
}

const TONES: { [state in Generation['state']]: Tone } = { active: 'good', trial: 'warn', kept: 'plain', given_up: 'bad' };

export function History({ current, may, onEdit }: HistoryProps) {
  const words = useWords();
  const { w } = words;
  const list = useLoad<Generation[]>('/generations');
  const action = useAction();
  const back = async ({ number }: Generation) => {
    if (!(await ask(w.config.askBack(number), w.config.askBackMore, w.config.rollback))) return;
    await action.run(async () => {
      const applied = await call<Applied>('POST', '/rollback', { query: { generation: number }, timeout: CHANGE_TIMEOUT });
      tellApplied(applied, w);
      await Promise.all([refreshStatus(), list.reload()]);
    });
  };
  const edit = ({ number }: Generation) =>
    action.run(async () => {
      const { text } = await call<ConfigText>('GET', '/config', { query: { generation: number } });
      onEdit(text);
      tell(w.config.loaded(number), 'note');
    });
  return (
    <>
      <FailureNote failure={action.failure} />
      <Ready of={list}>
        {(data) => {
          const newest = [...data].reverse();
          return (
            <>
              <Compare key={current.generation} generations={newest} inForce={current.generation} />
              <Card title={w.config.tabs.history}>
                <Table
                  caption={w.config.tabs.history}
                  rows={newest}
                  id={(generation) => generation.number}
                  step={30}
                  columns={columns(words, may, current.generation, (generation) => void back(generation), (generation) => void edit(generation))}
                />
              </Card>
            </>
          );
        }}
      </Ready>
    </>
  );
}

function columns(
  { w, f }: ReturnType<typeof useWords>,
  may: boolean,
  inForce: number,
  onBack: (generation: Generation) => void,
  onEdit: (generation: Generation) => void,
): Column<Generation>[] {
  const all: Column<Generation>[] = [
    { head: w.config.number, cell: (generation) => generation.number },
    { head: w.config.state, cell: (generation) => <Badge tone={TONES[generation.state]}>{w.config.states[generation.state]}</Badge> },
    { head: w.config.created, cell: (generation) => <time dateTime={generation.created}>{f.moment(generation.created)}</time> },
    { head: w.config.origin, cell: (generation) => <Said text={generation.origin} /> },
  ];
  if (!may) return all;
  const buttons = (generation: Generation) =>
    generation.number === inForce ? null : (
      <>
        <button type="button" aria-label={w.config.rollbackTo(generation.number)} onClick={() => onBack(generation)}>
          {w.config.rollback}
        </button>
        <button type="button" aria-label={w.config.loadOne(generation.number)} onClick={() => onEdit(generation)}>
          {w.config.load}
        </button>
      </>
    );
  return [...all, { head: w.config.rollback, actions: true, cell: buttons }];
}

function Compare({ generations, inForce }: { generations: Generation[]; inForce: number }) {
  const { w, f } = useWords();
  const others = generations.filter((generation) => generation.number !== inForce);
  const [older, setOlder] = useState(String(others[0]?.number ?? inForce));
  const [newer, setNewer] = useState(String(inForce));
  const [rows, setRows] = useState<DiffRow[] | null>(null);
  const action = useAction();
  const options = generations.map(({ number, created }) => [String(number), `${number} · ${f.moment(created)}`] as const);
  const compare = () =>
    action.run(async () => {
      const text = (generation: string) => call<ConfigText>('GET', '/config', { query: { generation } });
      const [a, b] = await Promise.all([text(older), text(newer)]);
      setRows(diffLines(a.text, b.text));
    });
  return (
    <Card title={w.config.compare}>
      <Form class="row" onSubmit={() => void compare()}>
        <Choice label={w.config.older} value={older} onValue={setOlder} options={options} />
        <Choice label={w.config.newer} value={newer} onValue={setNewer} options={options} />
        <button type="submit" disabled={action.busy}>
          {w.config.compare}
        </button>
      </Form>
      <FailureNote failure={action.failure} />
      <div aria-live="polite">{rows && <DiffView rows={rows} />}</div>
    </Card>
  );
}
