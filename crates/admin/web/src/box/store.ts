/** A value that components watch. */

import { useLayoutEffect, useState } from 'preact/hooks';

export interface Store<T> {
  get(): T;
  set(next: T): void;
  /** Returns how to stop it. */
  watch(told: (value: T) => void): () => void;
}

export function store<T>(first: T): Store<T> {
  let value = first;
  const watchers = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(value, next)) return;
      value = next;
      for (const told of [...watchers]) told(next);
    },
    watch(told) {
      watchers.add(told);
      return () => void watchers.delete(told);
    },
  };
}

/** The value of `of`, and a new rendering whenever it changes. */
export function useStore<T>(of: Store<T>): T {
  const [value, set] = useState(of.get());
  useLayoutEffect(() => {
    set(() => of.get());
    return of.watch((next) => set(() => next));
  }, [of]);
  return value;
}
