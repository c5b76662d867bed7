/** Parts of the overview that are lists. */

import { CHANGE_TIMEOUT, call } from '../../api/client.ts';
import type { Applied, CertificateStatus, ConfigText, ListenerStatus, MachineStatus, ProcessStatus, Renewal, Status } from '../../api/shapes.ts';
import { useAction } from '../../box/action.ts';
import { tell } from '../../box/news.ts';
import { allows, session } from '../../box/session.ts';
import { refreshStatus } from '../../box/status.ts';
import { useStore } from '../../box/store.ts';
import { Card } from '../../parts/page.tsx';
import { Badge, FailureNote, Foreign, LineLink, Said, type Tone } from '../../parts/said.tsx';
import { Table, type Column } from '../../parts/table.tsx';
import { Link } from '../../route.tsx';
import { daysLeft } from '../../text/judge.ts';
import { useWords } from '../../words/use.ts';

const STATE_TONES: { [state in ProcessStatus['state']]: Tone } = { running: 'good', failed: 'bad', draining: 'warn', stopped: 'bad' };

export function ProcessesCard({ status }: { status: Status }) {
  const { w, f } = useWords();
  const columns: Column<ProcessStatus>[] = [
    { head: w.overview.name, cell: (process) => <Foreign text={process.name} /> },
    { head: w.overview.state, cell: (process) => <Badge tone={STATE_TONES[process.state]}>{w.states[process.state]}</Badge> },
    { head: w.overview.since, cell: (process) => <time dateTime={process.since}>{f.moment(process.since)}</time> },
    { head: w.overview.restarts, number: true, cell: (process) => f.count(process.restarts) },
  ];
  return (
    <Card title={w.overview.processes}>
      <Table caption={w.overview.processes} columns={columns} rows={status.processes} id={(process) => process.name} />
    </Card>
  );
}

export function ListenersCard({ status }: { status: Status }) {
  const { w } = useWords();
  // Those with faults first: they are what one looks for.
  const rows = [...status.listeners].sort((a, b) => Number(b.fault !== null) - Number(a.fault !== null));
  const columns: Column<ListenerStatus>[] = [
    { head: w.overview.protocol, cell: (listener) => listener.protocol },
    { head: w.overview.address, cell: (listener) => <code>{listener.address}</code> },
    { head: w.overview.interface, cell: (listener) => listener.interface ?? w.overview.allInterfaces },
    { head: w.overview.service, cell: (listener) => listener.service },
    { head: w.overview.state, cell: (listener) => <ListenerState listener={listener} /> },
  ];
  return (
    <Card title={w.overview.listeners}>
      <Table caption={w.overview.listeners} columns={columns} rows={rows} step={20} id={(listener) => `${listener.protocol} ${listener.address} ${listener.interface}`} />
    </Card>
  );
}

function ListenerState({ listener }: { listener: ListenerStatus }) {
  const { w } = useWords();
  if (listener.fault === null) return <Badge tone="good">{w.overview.open}</Badge>;
  return (
    <>
      <Badge tone="bad">{w.overview.notOpen}</Badge> <Said text={listener.fault} />
    </>
  );
}

export function CertificatesCard({ status }: { status: Status }) {
  const { w, f } = useWords();
  const end = (certificate: CertificateStatus) => (certificate.expires === null ? 0 : Date.parse(certificate.expires));
  const rows = [...status.certificates].sort((a, b) => end(a) - end(b));
  const sources: { [source: string]: string } = w.overview.sources;
  const columns: Column<CertificateStatus>[] = [
    { head: w.overview.names, cell: (certificate) => <Foreign text={certificate.names.join(', ')} /> },
    {
      head: w.overview.source,
      tight: true,
      cell: (certificate) => (
        <>
          {sources[certificate.source] ?? certificate.source} <LineLink line={certificate.line} />
        </>
      ),
    },
    {
      head: w.overview.ends,
      tight: true,
      cell: (certificate) => (
        <>
          <CertificateEnd certificate={certificate} now={status.now} />{' '}
          {certificate.expires && <span class="hint">{f.day(certificate.expires)}</span>}
        </>
      ),
    },
  ];
  if (rows.some((certificate) => certificate.renewal !== null)) {
    columns.push({ head: w.overview.next, cell: (certificate) => <Next renewal={certificate.renewal} /> });
  }
  const again = useAction();
  const may = allows(useStore(session)?.role, 'operator');
  // The same text once more: what it refers to is read anew.
  const read = () =>
    again.run(async () => {
      const { generation, text } = await call<ConfigText>('GET', '/config');
      const applied = await call<Applied>('POST', '/apply', { body: { text, base: generation }, timeout: CHANGE_TIMEOUT });
      tell(applied.changed ? w.overview.read : w.overview.readSame, 'good', applied.notes);
      await refreshStatus();
    });
  const renew = (name: string) =>
    again.run(async () => {
      await call<null>('POST', '/certificates/renew', { body: { name } });
      tell(w.overview.renewed(name), 'good');
      await refreshStatus();
    });
  if (may && rows.some(isRenewable)) {
    columns.push({
      head: w.overview.renew,
      actions: true,
      cell: (certificate) => {
        const name = certificate.names[0];
        return (
          isRenewable(certificate) &&
          name !== undefined && (
            <button type="button" disabled={again.busy} aria-label={w.overview.renewOne(name)} onClick={() => void renew(name)}>
              {w.overview.renew}
            </button>
          )
        );
      },
    });
  }
  const root = () =>
    again.run(async () => {
      const { pem } = await call<{ pem: string }>('GET', '/certificates/root');
      save(pem, `${status.hostname}-root.pem`);
    });
  const button = (
    <>
      <button type="button" disabled={again.busy} onClick={() => void root()}>
        {w.overview.root}
      </button>
      {may && (
        <button type="button" disabled={again.busy} onClick={() => void read()}>
          {again.busy ? w.do.working : w.overview.again}
        </button>
      )}
    </>
  );
  return (
    <Card title={w.overview.certificates} actions={button}>
      <FailureNote failure={again.failure} />
      <Table caption={w.overview.certificates} columns={columns} rows={rows} step={12} id={(certificate, index) => `${certificate.names[0]} ${index}`} />
    </Card>
  );
}

/** How long a certificate counts. */
/** Whether another one can be asked for now. */
function isRenewable({ renewal }: CertificateStatus): boolean {
  return renewal !== null && (renewal.state === 'planned' || renewal.state === 'failed');
}

const RENEWAL_TONES: { [state in Renewal['state']]: Tone } = { planned: 'good', ordered: 'plain', failed: 'warn', held: 'bad' };

/** What happens next with a certificate of a public CA. */
function Next({ renewal }: { renewal: Renewal | null }) {
  const { w, f } = useWords();
  if (renewal === null) return null;
  return (
    <>
      <Badge tone={RENEWAL_TONES[renewal.state]}>{w.overview.renewals[renewal.state]}</Badge>{' '}
      {renewal.at && <time dateTime={renewal.at}>{f.moment(renewal.at)}</time>} {renewal.text && <Said text={renewal.text} />}
    </>
  );
}

function save(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/x-pem-file' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export function CertificateEnd({ certificate, now }: { certificate: CertificateStatus; now: string }) {
  const { w, f } = useWords();
  if (certificate.expires === null) return <Badge tone="bad">{w.overview.missing}</Badge>;
  const days = daysLeft(certificate.expires, now);
  if (days < 0) return <Badge tone="bad">{w.overview.ended}</Badge>;
  const tone = days < 21 ? 'warn' : certificate.source === 'own' ? 'plain' : 'good';
  return <Badge tone={tone}>{w.overview.days(days, f.count(days))}</Badge>;
}

export function BansCard({ status }: { status: Status }) {
  const { w, f } = useWords();
  return (
    <Card title={w.overview.bans}>
      <p class="big-line">
        {status.bans === 0 ? w.overview.noBans : w.overview.banned(status.bans, f.count(status.bans))}{' '}
        {status.bans > 0 && <Link href="/bans">{w.overview.toBans}</Link>}
      </p>
    </Card>
  );
}

export function MachineCard({ machine }: { machine: MachineStatus }) {
  const { w, f } = useWords();
  const share = machine.memory === 0 ? 0 : machine.memory_used / machine.memory;
  const text = w.overview.memoryUsed(f.memory(machine.memory_used), f.memory(machine.memory));
  return (
    <Card title={w.overview.machine}>
      <p class="meter-line">
        <span>{w.overview.memory}</span> <b>{f.percent(share)}</b>
      </p>
      <meter min={0} max={1} low={0.75} high={0.9} optimum={0} value={share} aria-label={`${w.overview.memory}: ${text}`} />
      <p class="hint">
        {text}, {w.overview.memoryOurs(f.memory(machine.memory_ours))}.{' '}
        {machine.served_after_ms !== null && w.overview.served(f.span(Math.round(machine.served_after_ms / 1000)))}
      </p>
    </Card>
  );
}
