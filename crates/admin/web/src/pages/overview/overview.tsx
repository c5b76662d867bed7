/** The overview: what is well and what is not, traffic, services, certificates, the machine. */

import { useMemo } from 'preact/hooks';
import type { Status } from '../../api/shapes.ts';
import { away, seen } from '../../box/status.ts';
import { useStore } from '../../box/store.ts';
import { useLoad } from '../../box/load.ts';
import type { Host } from '../../api/hosts.ts';
import { unwellTargets } from '../../text/hosts.ts';
import { judge, type Finding } from '../../text/judge.ts';
import { Page } from '../../parts/page.tsx';
import { FailureNote, Said } from '../../parts/said.tsx';
import { Link } from '../../route.tsx';
import { visible } from '../../text/visible.ts';
import { useWords } from '../../words/use.ts';
import { BansCard, CertificatesCard, ListenersCard, MachineCard, ProcessesCard } from './cards.tsx';
import { Traffic } from './traffic.tsx';

const EVERY = 30_000;

export function OverviewPage() {
  const { w, f } = useWords();
  const { status } = useStore(seen);
  const failure = useStore(away);
  const hosts = useLoad<Host[]>('/hosts', EVERY);
  if (!status) {
    return (
      <Page title={w.overview.title}>{failure ? <FailureNote failure={failure} /> : <p class="empty">{w.do.loading}</p>}</Page>
    );
  }
  const up = (Date.parse(status.now) - Date.parse(status.started)) / 1000;
  return (
    <Page title={w.overview.title} lead={w.overview.facts(status.version, status.generation.number, f.span(up))}>
      <State status={status} hosts={hosts.data ?? []} />
      <Traffic />
      <div class="columns">
        <ProcessesCard status={status} />
        <div class="stack">
          <BansCard status={status} />
          {status.machine && <MachineCard machine={status.machine} />}
        </div>
      </div>
      <CertificatesCard status={status} />
      <ListenersCard status={status} />
    </Page>
  );
}

function State({ status, hosts }: { status: Status; hosts: Host[] }) {
  const { w, f } = useWords();
  const findings = useMemo(() => judge(status, unwellTargets(hosts), w, f), [status, hosts, w]);
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const [bad, warn] = [count('bad'), count('warn')];
  const level = bad > 0 ? 'bad' : warn > 0 ? 'warn' : 'good';
  const sentence = [bad > 0 ? w.overview.bad(bad) : '', warn > 0 ? w.overview.warn(warn) : ''].filter((text) => text !== '');
  return (
    <section class={`state ${level}`} aria-live="polite">
      <h2>{sentence.length > 0 ? `${sentence.join('. ')}.` : w.overview.well}</h2>
      {level === 'good' && <p>{w.overview.wellMore(visible(status.hostname))}</p>}
      {findings.length > 0 && (
        <ul class="findings">
          {findings.map((finding, index) => (
            <FindingItem key={index} finding={finding} />
          ))}
        </ul>
      )}
    </section>
  );
}

function FindingItem({ finding }: { finding: Finding }) {
  return (
    <li class={`is-${finding.level}`}>
      <p>
        {finding.text}
        {finding.said?.length === 1 && (
          <>
            {' '}
            <Said text={finding.said[0] ?? ''} />
          </>
        )}
      </p>
      {finding.said && finding.said.length > 1 && (
        <ul>
          {finding.said.map((text, index) => (
            <li key={index}>
              <Said text={text} />
            </li>
          ))}
        </ul>
      )}
      <p class="hint">{finding.href ? <Link href={finding.href}>{finding.todo}</Link> : finding.todo}</p>
    </li>
  );
}
