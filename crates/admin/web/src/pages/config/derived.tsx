/** What follows from the configuration: listens, names, DNS, forwards of the router. */

import type { Table as DerivedTable } from '../../api/shapes.ts';
import { useLoad } from '../../box/load.ts';
import { Card } from '../../parts/page.tsx';
import { LineLink, Ready, Said } from '../../parts/said.tsx';
import { Table, type Column } from '../../parts/table.tsx';
import { visible } from '../../text/visible.ts';
import { said } from '../../words/said.ts';
import { useWords } from '../../words/use.ts';

export function Derived() {
  const derived = useLoad<{ tables: DerivedTable[] }>('/derived');
  return <Ready of={derived}>{({ tables }) => tables.map((table) => <One key={table.title} table={table} />)}</Ready>;
}

function One({ table }: { table: DerivedTable }) {
  const { w, language } = useWords();
  const put = (text: string) => said(visible(text), language).text;
  const columns = table.columns.map((head, index): Column<string[]> => ({ head: put(head), cell: (row) => <Cell text={row[index] ?? ''} line={head === 'line'} name={index === 0} /> }));
  return (
    <Card title={put(table.title)}>
      {table.note !== '' && (
        <p class="hint">
          <Said text={table.note} />
        </p>
      )}
      <Table caption={put(table.title)} columns={columns} rows={table.rows} id={(_, index) => index} empty={w.hosts.derivedNone} step={50} />
    </Card>
  );
}

/** `name`: the row is named by it, and it stays as it is. */
function Cell({ text, line, name }: { text: string; line: boolean; name: boolean }) {
  const found = /^line (\d+)$/.exec(text) ?? (line ? /^(\d+)$/.exec(text) : null);
  if (found) return <LineLink line={Number(found[1])} />;
  return <bdi>{name ? visible(text) : <Said text={text} />}</bdi>;
}
