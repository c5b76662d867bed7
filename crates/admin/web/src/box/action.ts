/** Something the operator has the box do: one at a time, with its failure. */

import { useRef, useState } from 'preact/hooks';
import { Failure } from '../api/client.ts';

export interface Action {
  busy: boolean;
  failure: Failure | null;
  /** Whether `job` came to its end. */
  run: (job: () => Promise<void>) => Promise<boolean>;
  clear: () => void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const running = useRef(false);
  const run = async (job: () => Promise<void>) => {
    // A second click on the same button.
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setFailure(null);
    try {
      await job();
      return true;
    } catch (error) {
      setFailure(error instanceof Failure ? error : new Failure('strange', String(error)));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, failure, run, clear: () => setFailure(null) };
}
