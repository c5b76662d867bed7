/** What is published. */

import { useMemo, useState } from 'preact/hooks';
import type { Host, HostRule, HostTarget } from '../api/hosts.ts';
import { useLoad } from '../box/load.ts';
import { Field } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Foreign, LineLink, Ready } from '../parts/said.tsx';
import { Link } from '../route.tsx';
import { hostFits } from '../text/hosts.ts';
import { useWords } from '../words/use.ts';

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
  const { w, f } = useWords();
  const scheme = host.protocols.includes('https') ? 'https' : 'http';
  return (
    <li class="host">
      <div class="host-head">
        <h2>
          <Foreign text={host.name} />
        </h2>
        <p class="host-meta">
          {host.protocols.map((protocol) => (
            <span key={protocol} class="protocol">
              {protocol}
            </span>
          ))}
          <LineLink line={host.line} />
          <Link href={`/explain?url=${encodeURIComponent(`${scheme}://${host.name}/`)}`}>{w.hosts.explain}</Link>
        </p>
        {host.figures && (
          <dl class="host-figures">
            <div>
              <dt>{w.hosts.requests}</dt>
              <dd>{f.count(host.figures.requests)}</dd>
            </div>
            <div>
              <dt>{w.hosts.bytes}</dt>
              <dd>{f.bytes(host.figures.received + host.figures.sent)}</dd>
            </div>
          </dl>
        )}
      </div>
      <ul class="rules" aria-label={w.hosts.rules}>
        {host.rules.map((rule, index) => (
          <RuleItem key={`${rule.line} ${index}`} rule={rule} named={new Set(host.rules.map((rule) => rule.protocol)).size > 1} />
        ))}
      </ul>
    </li>
  );
}

/** `named`: the host has rules of several protocols. */
function RuleItem({ rule, named }: { rule: HostRule; named: boolean }) {
  const { w, f } = useWords();
  const shown = rule.paths.slice(0, PATHS);
  const rest = rule.paths.slice(PATHS);
  return (
    <li class="rule">
      <div class="paths">
        {named && <span class="protocol">{rule.protocol}</span>}
        {rule.paths.length === 0 && <span>{w.hosts.everyPath}</span>}
        {shown.map((path) => (
          <Path key={path} path={path} />
        ))}
        {rest.length > 0 && (
          <details>
            <summary>{w.hosts.pathsMore(f.count(rest.length))}</summary>
            {rest.map((path) => (
              <Path key={path} path={path} />
            ))}
          </details>
        )}
        {rule.access.length > 0 && (
          <span class="hint">
            {w.hosts.access}: <Foreign text={rule.access.join(', ')} />
          </span>
        )}
      </div>
      <div class="targets">
        {rule.targets.map((target) => (
          <Target key={target.target} target={target} />
        ))}
      </div>
      <LineLink line={rule.line} />
    </li>
  );
}

function Path({ path }: { path: string }) {
  const { w } = useWords();
  return path === '' ? <span>{w.hosts.everyPath}</span> : <Foreign text={path} code />;
}

function Target({ target: { target, well } }: { target: HostTarget }) {
  const { w } = useWords();
  return (
    <span class="target">
      <span aria-hidden="true">→ </span>
      <Foreign text={target} code /> {well === true && <Badge tone="good">{w.hosts.well}</Badge>}
      {well === false && <Badge tone="bad">{w.hosts.unwell}</Badge>}
    </span>
  );
}
