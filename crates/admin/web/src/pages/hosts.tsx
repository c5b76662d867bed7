/** What is published. */

import { useMemo, useState } from 'preact/hooks';
import type { Host, HostFigures, HostRule, HostTarget } from '../api/hosts.ts';
import { useLoad } from '../box/load.ts';
import { seen } from '../box/status.ts';
import { useStore } from '../box/store.ts';
import { Field } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Foreign, LineLink, Ready, Said } from '../parts/said.tsx';
import { Link } from '../route.tsx';
import { hostFits } from '../text/hosts.ts';
import { useWords } from '../words/use.ts';
import { CertificateEnd } from './overview/cards.tsx';

const EVERY = 10_000;
const STEP = 50;
/** Paths of a rule that are shown at once. */
const PATHS = 6;

export function HostsPage() {
  const { w } = useWords();
  const hosts = useLoad<Host[]>('/hosts', EVERY);
  const [text, setText] = useState('');
  return (
    <Page
      title={w.hosts.title}
      lead={w.hosts.lead}
      actions={<Field label={w.hosts.find} hint={w.hosts.findHint} type="search" value={text} onValue={setText} />}
    >
      <Ready of={hosts}>{(data) => <List all={data} text={text} />}</Ready>
    </Page>
  );
}

function List({ all, text }: { all: Host[]; text: string }) {
  const { w, f } = useWords();
  const [most, setMost] = useState(STEP);
  const found = useMemo(() => (text.trim() === '' ? all : all.filter((host) => hostFits(host, text))), [all, text]);
  if (found.length === 0) return <p class="empty">{all.length === 0 ? w.hosts.none : w.do.nothingFits}</p>;
  return (
    <>
      <p class="hint" aria-live="polite">
        {w.do.shown(f.count(found.length), f.count(all.length))}
      </p>
      <ul class="hosts">
        {found.slice(0, most).map((host) => (
          <HostItem key={`${host.name} ${host.line}`} host={host} />
        ))}
      </ul>
      {found.length > most && (
        <button type="button" class="more" onClick={() => setMost(most + STEP)}>
          {w.do.more(f.count(Math.min(STEP, found.length - most)))}
        </button>
      )}
    </>
  );
}

function HostItem({ host }: { host: Host }) {
  const { w } = useWords();
  const now = useStore(seen).status?.now ?? new Date().toISOString();
  // Registration locations and names that serve no web have nothing to explain yet.
  const web = host.protocols.some((protocol) => protocol === 'http' || protocol === 'tls_passthrough');
  return (
    <li class="host">
      <div class="host-head">
        <h2>
          <Foreign text={host.name} />
        </h2>
        <p class="host-meta">
          {host.protocols.map((protocol) => (
            <span key={protocol} class="protocol">
              {w.hosts.protocolNames[protocol]}
            </span>
          ))}
          {host.certificate && (
            <span>
              <span class="hint">{w.hosts.certificate}</span> <CertificateEnd certificate={host.certificate} now={now} />
            </span>
          )}
          <LineLink line={host.line} />
          {web && <Link href={`/explain?url=${encodeURIComponent(`https://${host.name}/`)}`}>{w.hosts.explain}</Link>}
        </p>
        {host.figures && <Figures figures={host.figures} />}
      </div>
      <ul class="rules" aria-label={w.hosts.rules}>
        {host.rules.map((rule, index) => (
          <RuleItem key={`${rule.line} ${index}`} rule={rule} named={host.protocols.length > 1} />
        ))}
      </ul>
    </li>
  );
}

function Figures({ figures }: { figures: HostFigures }) {
  const { w, f } = useWords();
  const failed = figures.by_class[4] ?? 0;
  const all: [term: string, value: string][] = [
    [w.hosts.requests, f.count(figures.requests)],
    [w.hosts.bytes, f.bytes(figures.received + figures.sent)],
  ];
  if (figures.upgraded > 0) all.unshift([w.hosts.open, f.count(figures.upgraded)]);
  for (const { protocol, count } of figures.forwarded) all.unshift([w.hosts.openOf(protocol), f.count(count)]);
  if (figures.rejected > 0) all.unshift([w.hosts.rejected, f.count(figures.rejected)]);
  if (failed > 0) all.unshift([w.hosts.failed, f.count(failed)]);
  return (
    <dl class="host-figures" title={figures.p95_seconds === null ? undefined : w.hosts.fast(f.seconds(figures.p95_seconds))}>
      {all.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** `named`: the host has rules of several protocols. */
function RuleItem({ rule, named }: { rule: HostRule; named: boolean }) {
  const { w, f } = useWords();
  const shown = rule.paths.slice(0, PATHS);
  const rest = rule.paths.slice(PATHS);
  return (
    <li class="rule">
      <div>
        <div class="paths">
          {named && <span class="protocol">{w.hosts.protocolNames[rule.protocol]}</span>}
          {rule.protocol === 'http' && rule.paths.length === 0 && <span>{w.hosts.everyPath}</span>}
          {shown.map((path) => (
            <Foreign key={path} text={path} code />
          ))}
          {rest.length > 0 && (
            <details>
              <summary>{w.hosts.pathsMore(f.count(rest.length))}</summary>
              {rest.map((path) => (
                <Foreign key={path} text={path} code />
              ))}
            </details>
          )}
        </div>
        <Policy policy={rule.policy} />
      </div>
      <div class="targets">
        {rule.targets.map((target) => (
          <Target key={`${target.address} ${target.tls}`} target={target} web={rule.protocol === 'http'} />
        ))}
      </div>
      <LineLink line={rule.line} />
    </li>
  );
}

/** Holds unless the file says otherwise, and is not worth a line. */
const USUAL = 'requests without TLS are forwarded';

function Policy({ policy }: { policy: string[] }) {
  const shown = policy.filter((text) => text !== USUAL);
  if (shown.length === 0) return null;
  return (
    <p class="hint">
      {shown.map((text, index) => (
        <span key={index}>
          {index > 0 && ' · '}
          <Said text={text} />
        </span>
      ))}
    </p>
  );
}

function Target({ target: { address, tls, well }, web }: { target: HostTarget; web: boolean }) {
  const { w } = useWords();
  return (
    <span class="target">
      <span aria-hidden="true">→ </span>
      <Foreign text={address} code /> {tls && <span class="protocol">TLS</span>} {well === true && <Badge tone="good">{w.hosts.well}</Badge>}
      {well === false && <Badge tone="bad">{w.hosts.unwell}</Badge>}
      {web && well === null && <span class="hint">{w.hosts.unknown}</span>}
    </span>
  );
}
