/** Who is banned, and how that ends. */

import { useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { Ban } from '../api/shapes.ts';
import { useAction } from '../box/action.ts';
import { useLoad } from '../box/load.ts';
import { tell } from '../box/news.ts';
import { allows, session } from '../box/session.ts';
import { refreshStatus } from '../box/status.ts';
import { useStore } from '../box/store.ts';
import { ask } from '../parts/dialog.tsx';
import { Choice, Field, Form } from '../parts/form.tsx';
import { Card, Page } from '../parts/page.tsx';
import { FailureNote, Foreign, Ready } from '../parts/said.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { looksLikeAddress } from '../text/address.ts';
import { useWords } from '../words/use.ts';

const EVERY = 10_000;
/** How long a ban by hand may last, in seconds; the words for them stand in the same order. */
const TIMES = ['300', '3600', '86400', '2592000'] as const;

export function BansPage() {
  const { w, f } = useWords();
  const may = allows(useStore(session)?.role, 'operator');
  const bans = useLoad<Ban[]>('/bans', EVERY);
  const [text, setText] = useState('');
  const lifting = useAction();

  const lift = (query: { client?: string }) =>
    lifting.run(async () => {
      const { cleared } = await call<{ cleared: number }>('DELETE', '/bans', { query });
      tell(w.bans.lifted(cleared, f.count(cleared)));
      await Promise.all([bans.reload(), refreshStatus()]);
    });
  const liftOne = async ({ client }: Ban) => {
    if (await ask(w.bans.askOne(client), w.bans.askOneMore, w.bans.lift)) await lift({ client: client.replace(/\/\d+$/, '') });
  };
  const liftAll = async (count: number) => {
    if (await ask(w.bans.askAll(f.count(count)), w.bans.askAllMore, w.bans.liftAll, true)) await lift({});
  };

  const count = bans.data?.length ?? 0;
  const all = may && count > 0 && (
    <button type="button" class="danger" disabled={lifting.busy} onClick={() => void liftAll(count)}>
      {w.bans.liftAll}
    </button>
  );
  return (
    <Page title={w.bans.title} lead={w.bans.lead} actions={all}>
      <FailureNote failure={lifting.failure} />
      {may && <BanByHand onBanned={() => void Promise.all([bans.reload(), refreshStatus()])} />}
      <Card
        title={w.bans.title}
        actions={count > 5 && <Field label={w.do.filter} type="search" value={text} onValue={setText} />}
      >
        <Ready of={bans}>
          {(data) => {
            const shown = data.filter((ban) => ban.client.toLowerCase().includes(text.trim().toLowerCase()));
            return <BanTable bans={shown} none={data.length === 0 ? w.bans.none : w.do.nothingFits} onLift={may ? (ban) => void liftOne(ban) : null} />;
          }}
        </Ready>
      </Card>
    </Page>
  );
}

function BanTable({ bans, none, onLift }: { bans: Ban[]; none: string; onLift: ((ban: Ban) => void) | null }) {
  const { w, f } = useWords();
  const left = (ban: Ban) => Math.max(0, (Date.parse(ban.until) - Date.now()) / 1000);
  const columns: Column<Ban>[] = [
    { head: w.bans.client, cell: (ban) => <Foreign text={ban.client} code /> },
    { head: w.bans.since, cell: (ban) => <time dateTime={ban.since}>{f.moment(ban.since)}</time> },
    { head: w.bans.left, cell: (ban) => <span title={f.moment(ban.until)}>{f.span(left(ban))}</span> },
    { head: w.bans.offences, number: true, cell: (ban) => (ban.by_hand ? w.bans.byHand : f.count(ban.offences)) },
  ];
  if (onLift) {
    columns.push({
      head: w.bans.lift,
      actions: true,
      cell: (ban) => (
        <button type="button" aria-label={w.bans.liftOne(ban.client)} onClick={() => onLift(ban)}>
          {w.bans.lift}
        </button>
      ),
    });
  }
  return <Table caption={w.bans.title} columns={columns} rows={bans} id={(ban) => ban.client} empty={none} />;
}

function BanByHand({ onBanned }: { onBanned: () => void }) {
  const { w } = useWords();
  const [client, setClient] = useState('');
  const [seconds, setSeconds] = useState<(typeof TIMES)[number]>(TIMES[1]);
  const [reason, setReason] = useState('');
  const [wrong, setWrong] = useState(false);
  const action = useAction();
  const ban = async () => {
    const address = client.trim();
    setWrong(!looksLikeAddress(address));
    if (!looksLikeAddress(address)) return;
    const done = await action.run(async () => {
      const made = await call<Ban>('POST', '/bans', { body: { client: address.replace(/\/64$/, ''), seconds: Number(seconds), reason: reason.trim() } });
      tell(w.bans.banned(made.client));
    });
    if (!done) return;
    setClient('');
    setReason('');
    onBanned();
  };
  return (
    <Card title={w.bans.add}>
      <Form class="row" onSubmit={() => void ban()}>
        <Field label={w.bans.address} hint={w.bans.addressHint} code value={client} onValue={setClient} required fault={wrong ? w.bans.wrongAddress : null} />
        <Choice label={w.bans.time} value={seconds} onValue={setSeconds} options={TIMES.map((time, index) => [time, w.bans.times[index] ?? time] as const)} />
        <Field label={w.bans.why} hint={w.bans.whyHint} required value={reason} onValue={setReason} most={200} />
        <button type="submit" class="danger" disabled={action.busy}>
          {w.bans.doBan}
        </button>
      </Form>
      <FailureNote failure={action.failure} />
    </Card>
  );
}
