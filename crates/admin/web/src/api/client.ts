/** Requests to the API: each ends in time, and each failure has a kind. */

/** Kinds of refusals of the box, and four of our own: `away`, `late`, `misdirected`, `strange`. */
export type FailureKind =
  | 'invalid'
  | 'not_found'
  | 'conflict'
  | 'unavailable'
  | 'failed'
  | 'unauthorized'
  | 'code_wanted'
  | 'forbidden'
  | 'too_many'
  /** The box can not be reached. */
  | 'away'
  /** It did not answer in time. */
  | 'late'
  /** It is not called what this page calls it. */
  | 'misdirected'
  /** What it answered is not what was expected. */
  | 'strange';

/** Why a request came to nothing. */
export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly status = 0,
    /** Seconds until it may be tried again, where the box says so. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

export interface CallOptions {
  query?: { [name: string]: string | number | boolean | undefined | null };
  body?: unknown;
  /** Milliseconds until it counts as late. */
  timeout?: number;
  signal?: AbortSignal;
  /** A clock asks, and nobody: that is no use of the session, which ends where nobody uses it. */
  idle?: boolean;
}

/** What a request says that a clock makes. */
export const IDLE = { 'gatehouse-idle': '1' };


/** Long enough for a box that is just busy; checks and changes get more. */
const TIMEOUT = 10_000;

/** What a change may take: all processes have to put it to work. */
export const CHANGE_TIMEOUT = 60_000;

let sessionEnded = () => {};

/** Names who is told that the session is over. */
export function onSessionEnd(tell: () => void): void {
  sessionEnded = tell;
}

/** Asks the API; `path` is without its `/api/v1`. Throws a [Failure], or the abort of `signal`. */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const { query, body, timeout = TIMEOUT, signal, idle } = options;
  const late = AbortSignal.timeout(timeout);
  const headers: { [name: string]: string } = { accept: 'application/json' };
  if (idle) Object.assign(headers, IDLE);
  // Asked of everything but GET, with a body or without one: no form of another site can send it.
  if (method !== 'GET') headers['content-type'] = 'application/json';
  try {
    const response = await fetch(address(path, query), {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, late]) : late,
      cache: 'no-store',
      redirect: 'error',
    });
    if (!response.ok) throw await refusal(response);
    const text = await response.text();
    return (text === '' ? null : JSON.parse(text)) as T;
  } catch (error) {
    throw failure(error, late, signal);
  }
}

/** The address of a request, for what does not go through [call]. */
export function address(path: string, query: CallOptions['query'] = {}): string {
  const wanted = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(wanted.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${path}${text === '' ? '' : `?${text}`}`;
}

/** What a response that is no success says. */
export async function refusal(response: Response): Promise<Failure> {
  const text = await response.text().catch(() => '');
  let said: { kind?: FailureKind; message?: string; retry_after_seconds?: number } = {};
  try {
    said = JSON.parse(text) as typeof said;
  } catch {
    // Not from the API: what stands between us and it has answered.
  }
  if (response.status === 401) sessionEnded();
  return new Failure(said.kind ?? kindOf(response.status), said.message ?? '', response.status, said.retry_after_seconds);
}

function kindOf(status: number): FailureKind {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 421) return 'misdirected';
  if (status === 429) return 'too_many';
  // The admin process is there, the supervisor behind it is not.
  return status === 502 || status === 503 || status === 504 ? 'unavailable' : 'strange';
}

function failure(error: unknown, late: AbortSignal, signal: AbortSignal | undefined): unknown {
  if (error instanceof Failure || signal?.aborted) return error;
  if (late.aborted) return new Failure('late', '');
  if (error instanceof SyntaxError) return new Failure('strange', error.message);
  return new Failure('away', error instanceof Error ? error.message : '');
}
