/** Who is logged in, and how to end that. */

import { call } from '../../api/client.ts';
import type { Session } from '../../api/shapes.ts';
import { useAction } from '../../box/action.ts';
import { useLoad } from '../../box/load.ts';
import { tell } from '../../box/news.ts';
import { session } from '../../box/session.ts';
import { useStore } from '../../box/store.ts';
import { Card } from '../../parts/page.tsx';
import { Badge, FailureNote, Foreign, Ready } from '../../parts/said.tsx';
import { Table, type Column } from '../../parts/table.tsx';
import { useWords } from '../../words/use.ts';

interface SessionsProps {
  title: string;
  lead?: string;
  /** Those of everybody. */
  all?: boolean;
}

export function Sessions({ title, lead, all }: SessionsProps) {
  const { w, f } = useWords();
  const me = useStore(session);
  const sessions = useLoad<Session[]>('/sessions');
  const action = useAction();
  const end = ({ id }: Session) =>
    action.run(async () => {
      await call('DELETE', '/sessions', { query: { id } });
      tell(w.account.ended);
      await sessions.reload();
    });
  const columns: Column<Session>[] = [
    {
      head: w.account.client,
      cell: (one) => (
        <>
          {one.client === null ? '–' : <Foreign text={one.client} code />} {one.id === me?.id && <Badge tone="good">{w.account.session}</Badge>}
        </>
      ),
    },
    { head: w.account.since, cell: (one) => <time dateTime={one.since}>{f.moment(one.since)}</time> },
    { head: w.account.ends, cell: (one) => <time dateTime={one.ends}>{f.moment(one.ends)}</time> },
    {
      head: w.account.end,
      actions: true,
      cell: (one) =>
        one.id !== me?.id && (
          <button type="button" aria-label={w.account.endOne(one.client ?? '–')} disabled={action.busy} onClick={() => void end(one)}>
            {w.account.end}
          </button>
        ),
    },
  ];
  if (all) columns.splice(1, 0, { head: w.account.user, cell: (one) => <Foreign text={one.user} /> });
  return (
    <Card title={title}>
      {lead && <p class="hint">{lead}</p>}
      <FailureNote failure={action.failure} />
      <Ready of={sessions}>
        {(data) => <Table caption={title} columns={columns} rows={all ? data : data.filter((one) => one.user === me?.user)} id={(one) => one.id} step={20} />}
      </Ready>
    </Card>
  );
}
