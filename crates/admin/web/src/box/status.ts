/** How the box is: asked every few seconds, for all pages. */

import { Failure, call } from '../api/client.ts';
import type { Status } from '../api/shapes.ts';
import { store } from './store.ts';

export interface Seen {
  status: Status | null;
  /** When the status came, by the clock of this browser, in milliseconds. */
  at: number;
}

export const seen = store<Seen>({ status: null, at: 0 });

/** Why the box can not be asked now; none: it can. */
export const away = store<Failure | null>(null);

/** Counts up whenever the box is back, so that pages ask again. */
export const returns = store(0);

const EVERY = 5_000;
const EVERY_ON_TRIAL = 2_000;
const EVERY_AWAY = 3_000;

let timer: ReturnType<typeof setTimeout> | undefined;
let asking: Promise<void> | undefined;

/** Begins to ask, and goes on; not while nobody looks. */
export function watchStatus(): void {
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void refreshStatus();
  });
  void refreshStatus();
}

/** Asks now; one question at a time. */
export function refreshStatus(): Promise<void> {
  asking ??= ask().finally(() => {
    asking = undefined;
    clearTimeout(timer);
    timer = setTimeout(() => void next(), pause());
  });
  return asking;
}

function next(): void {
  if (document.hidden) timer = setTimeout(next, EVERY);
  else void refreshStatus();
}

function pause(): number {
  if (away.get()) return EVERY_AWAY;
  return seen.get().status?.generation.state === 'trial' ? EVERY_ON_TRIAL : EVERY;
}

async function ask(): Promise<void> {
  try {
    const status = await call<Status>('GET', '/status', { timeout: 8_000 });
    seen.set({ status, at: Date.now() });
    if (away.get()) {
      away.set(null);
      returns.set(returns.get() + 1);
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.status === 401 || error.kind === 'forbidden') return;
    away.set(error);
  }
}
