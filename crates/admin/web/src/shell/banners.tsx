/** What every page shows at its top: the box is away, a change is on trial, news. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { CHANGE_TIMEOUT, call } from '../api/client.ts';
import type { Applied } from '../api/shapes.ts';
import { useAction } from '../box/action.ts';
import { newAddresses } from '../box/draft.ts';
import { dismiss, news, say, spoken, tell } from '../box/news.ts';
import { allows, session } from '../box/session.ts';
import { away, known, refreshStatus, seen } from '../box/status.ts';
import { useStore } from '../box/store.ts';
import { FailureNote, Said } from '../parts/said.tsx';
import { keepsSession } from '../text/places.ts';
import { useWords } from '../words/use.ts';

export function Banners() {
  return (
    <>
      <AwayBanner />
      <TrialBanner />
    </>
  );
}

export function News() {
  const { w } = useWords();
  const items = useStore(news);
  const text = useStore(spoken);
  return (
    <>
      <div class="news" role="status" aria-live="polite">
        {items.map((item) => (
          <div key={item.id} class={`note ${item.level}`}>
            <div>
              <p>{item.text}</p>
              {item.said?.map((said, index) => (
                <p key={index}>
                  <Said text={said} />
                </p>
              ))}
            </div>
            <button type="button" class="quiet" onClick={() => dismiss(item.id)}>
              {w.do.dismiss}
            </button>
          </div>
        ))}
      </div>
      <p class="unseen" role="status" aria-live="polite">
        {text}
      </p>
    </>
  );
}

function AwayBanner() {
  const { w } = useWords();
  const failure = useStore(away);
  const onTrial = useStore(seen).status?.generation.state === 'trial';
  const was = useRef(false);
  useEffect(() => {
    if (was.current && !failure) tell(w.fail.back);
    was.current = failure !== null;
  }, [failure]);
  if (!failure) return null;
  const texts: { [kind: string]: string } = { late: w.fail.lateShort, unavailable: w.fail.unavailableShort, misdirected: w.fail.misdirected };
  return (
    <div class="banner bad" role="alert">
      <p>{onTrial && (failure.kind === 'away' || failure.kind === 'late') ? w.trial.cutOff : (texts[failure.kind] ?? w.fail.awayShort)}</p>
    </div>
  );
}

/** Seconds left when they are read out. */
const SPOKEN = [120, 60, 30, 10];

function TrialBanner() {
  const { w, f } = useWords();
  const { status, at } = useStore(seen);
  const who = useStore(session);
  const confirm = useAction();
  const addresses = useStore(newAddresses);
  const outOfReach = useStore(away)?.kind === 'away';
  const generation = status?.generation;
  const onTrial = generation?.state === 'trial';
  const left = useLeft(onTrial ? generation.seconds : 0, at, onTrial);
  useEnd(onTrial ? generation.number : null);
  useEffect(() => {
    if (onTrial && SPOKEN.includes(left)) say(w.trial.say(f.span(left)));
  }, [left, onTrial]);
  if (!onTrial) return null;
  const may = allows(who?.role, 'operator');
  const send = (path: string, query: { [name: string]: number }, done: (generation: number) => string) =>
    confirm.run(async () => {
      const applied = await call<Applied>('POST', path, { query, timeout: CHANGE_TIMEOUT });
      tell(done(applied.generation.number), 'good', applied.notes);
      ended = true;
      newAddresses.set([]);
      known(applied.generation);
      await refreshStatus();
    });
  return (
    <section class="banner trial" aria-label={w.trial.title(generation.number)}>
      <div class="banner-text">
        <p>
          <b>{w.trial.title(generation.number)}.</b> {left > 0 ? w.trial.left(f.clock(left)) : w.trial.over0}
        </p>
        <p class="hint">{may ? w.trial.who : w.trial.viewer}</p>
        {addresses.length > 0 && <Addresses addresses={addresses} />}
        <FailureNote failure={confirm.failure} />
      </div>
      {may && (
        <div class="actions">
          <button type="button" class="primary" disabled={confirm.busy || outOfReach} onClick={() => void send('/confirm', { generation: generation.number }, w.trial.confirmed)}>
            {w.trial.confirm}
          </button>
          <button type="button" disabled={confirm.busy || outOfReach} onClick={() => void send('/rollback', { trial: generation.number }, w.trial.rolledBack)}>
            {w.trial.back}
          </button>
        </div>
      )}
    </section>
  );
}

/** Where the pages are once the change counts; links, since the browser has to go there itself. */
export function Addresses({ addresses }: { addresses: string[] }) {
  const { w } = useWords();
  const admin = allows(useStore(session)?.role, 'admin');
  const stays = addresses.every((address) => keepsSession(address, location.hostname));
  return (
    <>
      <p>
        {w.trial.addresses}{' '}
        {addresses.map((address) => (
          <a key={address} class="address" href={`https://${address}/confirm`}>
            https://{address}
          </a>
        ))}
      </p>
      <p class="hint">{stays ? w.trial.hintSession : admin ? w.trial.hintAdmin : w.trial.hintOperator}</p>
    </>
  );
}

/** Seconds left, counted here between two answers of the box. */
export function useLeft(seconds: number, at: number, running: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!running) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [running]);
  return Math.max(0, Math.ceil(seconds - Math.max(0, now - at) / 1000));
}

/** Whether the trial was ended from here; else its end is news. */
let ended = false;

function useEnd(generation: number | null): void {
  const { w } = useWords();
  const before = useRef<number | null>(null);
  useEffect(() => {
    const inForce = seen.get().status?.generation.number;
    if (before.current !== null && generation === null && !ended && inForce !== undefined) {
      tell(w.trial.over(inForce), 'note');
      newAddresses.set([]);
    }
    if (generation === null) ended = false;
    before.current = generation;
  }, [generation]);
}
