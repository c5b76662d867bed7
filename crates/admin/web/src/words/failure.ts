/** A failure in words, with what to do. */

import type { Failure } from '../api/client.ts';
import type { Formats, Words } from './use.ts';

/** Our words, and what the box said to it where that says more; that is English. */
export interface Told {
  text: string;
  said?: string;
}

export function told(failure: Failure, w: Words, f: Formats): Told {
  const said = failure.message === '' ? {} : { said: failure.message };
  switch (failure.kind) {
    case 'away':
      return { text: w.fail.away };
    case 'late':
      return { text: w.fail.late };
    case 'misdirected':
      return { text: w.fail.misdirected };
    case 'strange':
      return { text: w.fail.strange };
    case 'forbidden':
      // Of a role, or of a trial that somebody else has begun.
      return /^$|role/.test(failure.message) ? { text: w.fail.forbidden } : { text: w.fail.refused, ...said };
    case 'unauthorized':
      return { text: w.fail.unauthorized };
    case 'code_wanted':
      return { text: w.fail.codeWanted };
    case 'not_found':
      return { text: w.fail.notFound, ...said };
    case 'too_many': {
      const { retryAfter } = failure;
      return { text: retryAfter === undefined ? w.fail.tooManyLater : w.fail.tooMany(f.span(retryAfter)) };
    }
    case 'unavailable':
      return { text: w.fail.unavailable, ...said };
    case 'conflict':
      return { text: w.fail.conflict, ...said };
    case 'failed':
      return { text: w.fail.failed, ...said };
    default:
      return { text: w.fail.refused, ...said };
  }
}
