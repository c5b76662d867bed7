/** The log as it comes, resumed by itself where the connection breaks. */

import { EventParser } from './events.ts';
import { Failure, IDLE, address, refusal } from './client.ts';
import type { Record } from './shapes.ts';

export interface Following {
  /** Records, oldest first. */
  records: (records: Record[]) => void;
  /** Whether the stream is open now. */
  open: (open: boolean) => void;
}

/** The box says something each 15 s; after three silent turns the connection is dead. */
const SILENCE = 45_000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

/** Follows the log until the function that is returned is called; begins with the last `last` records. */
export function followLog(last: number, tell: Following): () => void {
  const stop = new AbortController();
  void follow(last, tell, stop.signal);
  return () => stop.abort();
}

async function follow(last: number, tell: Following, stop: AbortSignal): Promise<void> {
  let position: string | null = null;
  let pause = FIRST_PAUSE;
  const seen = (id: string) => {
    position = id;
    pause = FIRST_PAUSE;
  };
  while (!stop.aborted) {
    try {
      await once(position, last, tell, seen, stop);
    } catch (error) {
      // The session is over: what is told of that leads to the login.
      if (error instanceof Failure && error.status === 401) return;
    }
    if (stop.aborted) return;
    tell.open(false);
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

async function once(
  position: string | null,
  last: number,
  tell: Following,
  seen: (id: string) => void,
  stop: AbortSignal,
): Promise<void> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENCE);
  const headers: { [name: string]: string } = { accept: 'text/event-stream', ...(position === null ? {} : IDLE) };
  if (position !== null) headers['last-event-id'] = position;
  try {
    const query = position === null ? { follow: true, last } : { follow: true };
    const response = await fetch(address('/log', query), {
      headers,
      signal: AbortSignal.any([stop, silent.signal]),
      cache: 'no-store',
      redirect: 'error',
    });
    if (!response.ok || !response.body) throw await refusal(response);
    tell.open(true);
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE);
      const events = parser.feed(value).filter((event) => event.event === 'record');
      const newest = events[events.length - 1];
      if (!newest) continue;
      seen(newest.id);
      tell.records(events.map((event) => JSON.parse(event.data) as Record));
    }
  } finally {
    clearTimeout(timer);
  }
}
