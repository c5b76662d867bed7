/** One record of the log. */

import { Component, type ComponentChildren } from 'preact';
import type { Record } from '../../api/shapes.ts';
import type { Language } from '../../box/preferences.ts';
import { Foreign, LineLink, Said, SaidLines } from '../../parts/said.tsx';
import { Link } from '../../route.tsx';
import { bannedClient, urlOf, word } from '../../text/line.ts';
import { visible } from '../../text/visible.ts';
import type { Entry } from '../../text/filter.ts';
import { words } from '../../words/use.ts';

interface RowProps {
  entry: Entry;
  /** The configuration has changed since. */
  old: boolean;
  language: Language;
  onClient: (client: string) => void;
}

/** Drawn once: a record does not change. */
export class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return next.entry !== this.props.entry || next.old !== this.props.old || next.language !== this.props.language;
  }

  override render() {
    const { entry, old, onClient } = this.props;
    const { w, f } = words();
    const { record } = entry;
    const kind = word(record);
    const names: { [word: string]: string } = w.log.words;
    return (
      <li class={`record ${kind}`}>
        <time dateTime={record.time} title={record.time}>
          {f.time(record.time)}
        </time>
        <span class="word">{names[kind] ?? kind}</span>
        <div class="what">{record.event === 'decision' ? <Decided record={record} old={old} onClient={onClient} /> : <Other record={record} />}</div>
      </li>
    );
  }
}

function Decided({ record, old, onClient }: { record: Record & { event: 'decision' }; old: boolean; onClient: (client: string) => void }) {
  const { w } = words();
  const port = /:(\d+)$/.exec(record.client)?.[1];
  const address = port === undefined ? record.client : record.client.slice(0, -port.length - 1);
  const bare = address.replace(/^\[|\]$/g, '');
  return (
    <>
      <p>
        <button type="button" class="client" title={w.log.onlyClient(bare)} onClick={() => onClient(bare)}>
          {address}
        </button>
        {port !== undefined && <span class="hint">:{port}</span>} <span class="protocol">{record.protocol}</span>{' '}
        <b>{record.host === '' ? '–' : <Foreign text={record.host} />}</b> {record.asked !== '' && <Foreign text={record.asked} code />}
      </p>
      <p class="why">
        <Became record={record} />{' '}
        {old && record.rule !== null ? <span title={w.log.changedSince}><LineLink line={record.rule} shown={w.log.then(record.rule)} /></span> : <LineLink line={record.rule} />}{' '}
        <Explain record={record} client={bare} />
      </p>
    </>
  );
}

/** What would become of the same request now. */
function Explain({ record, client }: { record: Record & { event: 'decision' }; client: string }) {
  const { w } = words();
  const url = urlOf(record);
  if (url === null || record.outcome === 'forwarded') return null;
  const query = new URLSearchParams({ url, from: client });
  return (
    <Link href={`/explain?${query.toString()}`} class="line-link" label={w.log.explainOne(visible(url))}>
      {w.log.explain}
    </Link>
  );
}

function Became({ record }: { record: Record & { event: 'decision' } }) {
  const { w } = words();
  switch (record.outcome) {
    case 'forwarded':
      return (
        <>
          → <Foreign text={record.target} code /> {record.new && <span class="hint">({w.log.new})</span>}
        </>
      );
    case 'answered':
      return (
        <>
          {record.status} <Said text={record.reason} />
        </>
      );
    case 'rejected':
      return (
        <>
          {record.status !== null && <span class="status">{record.status}</span>} <Said text={record.reason} />{' '}
          {record.blame !== 'peer' && <span class="hint">({w.log.blamed(w.log.blame[record.blame])})</span>}
        </>
      );
  }
}

function Other({ record }: { record: Exclude<Record, { event: 'decision' }> }): ComponentChildren {
  const { w, f } = words();
  switch (record.event) {
    case 'banned':
      return (
        <p>
          <Foreign text={bannedClient(record.client)} /> {w.log.banFor(f.span(record.seconds))}: <Said text={record.reason} />
        </p>
      );
    case 'unbanned':
      return (
        <p>
          <Foreign text={bannedClient(record.client)} />: {record.lifted ? w.log.lifted : w.log.over}
        </p>
      );
    case 'service':
      return <ServiceNews record={record} />;
    case 'config':
      return <ConfigNews record={record} />;
    case 'certificate':
      return (
        <p>
          <Foreign text={record.names.join(', ')} />: <Said text={record.text} />
        </p>
      );
    case 'audit':
      return (
        <p>
          <b>
            <Foreign text={record.actor} />
          </b>{' '}
          {record.client !== null && (
            <span class="hint">
              (<Foreign text={record.client} />)
            </span>
          )}
          : <Said text={record.text} />
        </p>
      );
    case 'login_failed':
      return (
        <p>
          <b>
            <Foreign text={record.user === '' ? '-' : record.user} />
          </b>{' '}
          <span class="hint">
            (<Foreign text={record.client} />, {record.method} <Foreign text={record.access} />)
          </span>
          : <Said text={record.reason} />
        </p>
      );
    case 'notice':
      return (
        <p>
          <Foreign text={record.service} />: <Said text={record.text} />
        </p>
      );
    case 'dropped':
      return <p>{w.log.dropped(record.count, f.count(record.count))}</p>;
    default:
      // News of a later version than these pages.
      return (
        <p>
          <Foreign text={JSON.stringify(record)} code />
        </p>
      );
  }
}

function ServiceNews({ record }: { record: Record & { event: 'service' } }) {
  const { w, f } = words();
  if (record.state !== 'failed') return <p>{w.log[record.state](record.name)}</p>;
  return (
    <p>
      {w.log.failed(record.name, f.span(Math.ceil(record.retry_ms / 1000)))} <Said text={record.reason} />
    </p>
  );
}

function ConfigNews({ record }: { record: Record & { event: 'config' } }) {
  const { w, f } = words();
  const { generation } = record;
  switch (record.change) {
    case 'applied':
      return <p>{w.log.applied(generation)}</p>;
    case 'trial':
      return <p>{w.log.trial(generation, f.span(record.seconds))}</p>;
    case 'confirmed':
      return <p>{w.log.confirmed(generation)}</p>;
    case 'rolled_back':
      return (
        <p>
          {w.log.rolledBack(generation)} <Said text={record.reason} />
        </p>
      );
    case 'refused':
      return (
        <div>
          {w.log.refused(generation)} <SaidLines text={record.reason} />
        </div>
      );
  }
}
