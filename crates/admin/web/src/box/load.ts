/** What a page asks the box for. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Failure, call } from '../api/client.ts';
import { returns } from './status.ts';
import { useStore } from './store.ts';

export interface Loaded<T> {
  data: T | null;
  failure: Failure | null;
  /** Asks anew. */
  reload: () => Promise<void>;
  /** Takes a value that is known already. */
  put: (data: T) => void;
}

/** Asks for `path` (none: not now), again every `every` milliseconds (0: never), and when the box is back. */
export function useLoad<T>(path: string | null, every = 0): Loaded<T> {
  // With the path that it is of: the answer to another question is none to this one.
  const [kept, setKept] = useState<{ path: string | null; data: T } | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const back = useStore(returns);
  // An answer to an older question must not take the place of a newer one.
  const newest = useRef(0);
  const seenReturns = useRef(back);

  const load = useCallback(async (idle: boolean) => {
    if (path === null) return;
    const number = ++newest.current;
    try {
      const answer = await call<T>('GET', path, { idle });
      if (number !== newest.current) return;
      setKept({ path, data: answer });
      setFailure(null);
    } catch (error) {
      if (number === newest.current && error instanceof Failure) setFailure(error);
    }
  }, [path]);
  const reload = useCallback(() => load(false), [load]);

  useEffect(() => {
    // Asked again because the box is back: nobody did that.
    void load(back !== seenReturns.current);
    seenReturns.current = back;
    if (every === 0) return;
    const timer = setInterval(() => {
      if (!document.hidden) void load(true);
    }, every);
    return () => clearInterval(timer);
  }, [load, every, back]);

  useEffect(() => () => void newest.current++, []);
  const data = kept !== null && kept.path === path ? kept.data : null;
  return { data, failure, reload, put: (data) => setKept({ path, data }) };
}
