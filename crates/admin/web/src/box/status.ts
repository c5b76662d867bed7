/** How the box is: asked every few seconds, for all pages. */

import { Failure, call } from '../api/client.ts';
import type { Generation, Status } from '../api/shapes.ts';
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

/** Takes what is known already: what a change has put into force, before the box is asked again; it may be out of reach by then. */
export function known(generation: Generation): void {
  const { status } = seen.get();
  if (status) seen.set({ status: { ...status, generation }, at: Date.now() });
}

let timer: ReturnType<typeof setTimeout> | undefined;
let asking: Promise<void> | undefined;

/** Begins to ask, and goes on; not while nobody looks. */
export function watchStatus(): void {
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void refreshStatus();
  });
  for (const kind of ['keydown', 'pointerdown', 'wheel']) addEventListener(kind, () => void (touched = true), { capture: true, passive: true });
  void refreshStatus();
}

/** Whether somebody has done something here since the clock asked last: whoever writes a long text is not gone. */
let touched = false;

/** Asks now; one question at a time. `idle`: by the clock. */
export function refreshStatus(idle = false): Promise<void> {
  asking ??= ask(idle).finally(() => {
    asking = undefined;
    clearTimeout(timer);
    timer = setTimeout(() => void next(), pause());
  });
  return asking;
}

function next(): void {
  if (document.hidden) timer = setTimeout(next, EVERY);
  else {
    void refreshStatus(!touched);
    touched = false;
  }
}

function pause(): number {
  if (away.get()) return EVERY_AWAY;
  return seen.get().status?.generation.state === 'trial' ? EVERY_ON_TRIAL : EVERY;
}

async function ask(idle: boolean): Promise<void> {
  try {
    const status = await call<Status>('GET', '/status', { timeout: 8_000, idle });
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
