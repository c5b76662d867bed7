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
  const [data, setData] = useState<T | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const back = useStore(returns);
  // An answer to an older question must not take the place of a newer one.
  const newest = useRef(0);

  const reload = useCallback(async () => {
    if (path === null) return;
    const number = ++newest.current;
    try {
      const answer = await call<T>('GET', path);
      if (number !== newest.current) return;
      setData(() => answer);
      setFailure(null);
    } catch (error) {
      if (number === newest.current && error instanceof Failure) setFailure(error);
    }
  }, [path]);

  useEffect(() => {
    void reload();
    if (every === 0) return;
    const timer = setInterval(() => {
      if (!document.hidden) void reload();
    }, every);
    return () => clearInterval(timer);
  }, [reload, every, back]);

  useEffect(() => () => void newest.current++, []);
  return { data, failure, reload, put: setData };
}
