/** The log as it comes. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { followLog } from '../../api/follow.ts';
import { Choice, Field } from '../../parts/form.tsx';
import { Page } from '../../parts/page.tsx';
import { Badge } from '../../parts/said.tsx';
import { EVERYTHING, fits, type Entry, type Wanted } from '../../text/filter.ts';
import { line } from '../../text/line.ts';
import { Ring } from '../../text/ring.ts';
import { useWords } from '../../words/use.ts';
import { Row } from './row.tsx';

/** Records that are kept here: as many as the box keeps. */
const CAPACITY = 10_000;
/** Records that are drawn; more by a button. */
const DRAWN = 250;
/** Milliseconds between two drawings: with 1000 records a second this is what keeps it cheap. */
const PAUSE = 300;

interface View {
  entries: readonly Entry[];
  lost: number;
  left: number;
}

const NOTHING: View = { entries: [], lost: 0, left: 0 };

export function LogPage() {
  const { w } = useWords();
  const [wanted, setWanted] = useState<Wanted>(EVERYTHING);
  const [most, setMost] = useState(DRAWN);
  const live = useLive();
  const found = useMemo(() => live.view.entries.filter((entry) => fits(entry, wanted)), [live.view, wanted]);
  const changed = useMemo(() => lastChange(live.view.entries), [live.view]);
  const change = (part: Partial<Wanted>) => {
    setWanted({ ...wanted, ...part });
    setMost(DRAWN);
  };
  return (
    <Page title={w.log.title} actions={<Actions live={live} found={found} />}>
      <Filters wanted={wanted} onChange={change} services={useServices(live.view)} />
      <Counts live={live} shown={found.length} />
      {found.length === 0 && <p class="empty">{live.view.entries.length === 0 ? w.log.none : w.do.nothingFits}</p>}
      <Records found={found} most={most} changed={changed} onClient={(client) => change({ client })} />
      {found.length > most && (
        <button type="button" class="more" onClick={() => setMost(most + DRAWN)}>
          {w.log.older}
        </button>
      )}
    </Page>
  );
}

/** The id of the newest record of another configuration in force; 0: there is none here. */
function lastChange(entries: readonly Entry[]): number {
  for (let index = entries.length - 1; index >= 0; index--) {
    const record = entries[index]?.record;
    if (record?.event === 'config' && ['applied', 'trial', 'rolled_back'].includes(record.change)) return record.id;
  }
  return 0;
}

interface Live {
  view: View;
  open: boolean;
  paused: boolean;
  waiting: number;
  pause: (paused: boolean) => void;
  clear: () => void;
}

function useLive(): Live {
  const ring = useRef(new Ring(CAPACITY));
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const held = useRef(false);
  const [view, setView] = useState<View>(NOTHING);
  const [open, setOpen] = useState(false);
  const [paused, setPaused] = useState(false);
  const [waiting, setWaiting] = useState(0);

  const draw = () => {
    timer.current = undefined;
    const { entries, lost, left } = ring.current;
    setView({ entries, lost, left });
    setWaiting(0);
  };

  useEffect(() => {
    const stop = followLog(CAPACITY, {
      open: setOpen,
      records(records) {
        ring.current.add(records);
        if (held.current) setWaiting((count) => count + records.length);
        else timer.current ??= setTimeout(draw, PAUSE);
      },
    });
    return () => {
      stop();
      clearTimeout(timer.current);
    };
  }, []);

  const pause = (next: boolean) => {
    held.current = next;
    setPaused(next);
    clearTimeout(timer.current);
    timer.current = undefined;
    if (!next) draw();
  };
  const clear = () => {
    ring.current.clear();
    draw();
  };
  return { view, open, paused, waiting, pause, clear };
}

/** Services that were seen, in order; those that are gone from the list stay to be chosen. */
function useServices(view: View): string[] {
  const seen = useRef(new Set<string>());
  return useMemo(() => {
    for (const entry of view.entries) {
      if (seen.current.size < 50) seen.current.add(entry.service);
    }
    return [...seen.current].sort();
  }, [view]);
}

function Actions({ live, found }: { live: Live; found: readonly Entry[] }) {
  const { w } = useWords();
  const name = `gatehouse-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}`;
  const text = () => save(`${name}.log`, 'text/plain', found.map((entry) => line(entry.record)));
  const json = () => save(`${name}.jsonl`, 'application/x-ndjson', found.map((entry) => JSON.stringify(entry.record)));
  return (
    <>
      <button type="button" aria-pressed={live.paused} class={live.paused ? 'primary' : ''} onClick={() => live.pause(!live.paused)}>
        {live.paused ? w.log.resume : w.log.pause}
      </button>
      <button type="button" onClick={live.clear}>
        {w.log.clear}
      </button>
      <button type="button" disabled={found.length === 0} onClick={text}>
        {w.log.asText}
      </button>
      <button type="button" disabled={found.length === 0} onClick={json}>
        {w.log.asJson}
      </button>
    </>
  );
}

function save(name: string, type: string, lines: string[]): void {
  const address = URL.createObjectURL(new Blob([`${lines.join('\n')}\n`], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

interface FiltersProps {
  wanted: Wanted;
  onChange: (part: Partial<Wanted>) => void;
  services: string[];
}

function Filters({ wanted, onChange, services }: FiltersProps) {
  const { w } = useWords();
  const outcomes = ['forwarded', 'answered', 'rejected', 'other'] as const;
  return (
    <div class="filters" role="search" aria-label={w.do.filter}>
      <Field label={w.log.text} type="search" hint={w.log.textHint} value={wanted.text} onValue={(text) => onChange({ text })} />
      <Field label={w.log.client} type="search" hint={w.log.clientHint} value={wanted.client} onValue={(client) => onChange({ client })} />
      <Choice
        label={w.log.service}
        value={wanted.service}
        onValue={(service) => onChange({ service })}
        options={[['', w.log.all], ...services.map((service) => [service, service] as const)]}
      />
      <Choice
        label={w.log.outcome}
        value={wanted.outcome}
        onValue={(outcome) => onChange({ outcome })}
        options={[['', w.log.all], ...outcomes.map((outcome) => [outcome, w.log.outcomes[outcome]] as const)]}
      />
      <button type="button" disabled={wanted === EVERYTHING} onClick={() => onChange(EVERYTHING)}>
        {w.log.reset}
      </button>
    </div>
  );
}

function Counts({ live, shown }: { live: Live; shown: number }) {
  const { w, f } = useWords();
  const { view, open, paused, waiting } = live;
  const state = paused ? w.log.paused : open ? w.log.live : w.log.connecting;
  return (
    <div class="counts">
      <Badge tone={paused ? 'warn' : open ? 'good' : 'plain'}>{state}</Badge>
      <span>{w.log.kept(f.count(shown), f.count(view.entries.length))}</span>
      {paused && waiting > 0 && <span>{w.log.waiting(waiting, f.count(waiting))}</span>}
      {view.left > 0 && <span class="hint">{w.log.old(f.count(view.left))}</span>}
      {view.lost > 0 && <span class="lost">{w.log.lost(view.lost, f.count(view.lost))}</span>}
    </div>
  );
}

function Records({ found, most, changed, onClient }: { found: readonly Entry[]; most: number; changed: number; onClient: (client: string) => void }) {
  const { w, language } = useWords();
  const choose = useRef(onClient);
  choose.current = onClient;
  const client = useMemo(() => (address: string) => choose.current(address), []);
  const shown = found.slice(Math.max(0, found.length - most)).reverse();
  return (
    <ol class="records" aria-label={w.log.list}>
      {shown.map((entry) => (
        <Row key={entry.record.id} entry={entry} old={entry.record.id < changed} language={language} onClient={client} />
      ))}
    </ol>
  );
}
