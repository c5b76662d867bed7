/** What the API speaks of; the Rust types of the same names are in `control` and `service`. */

/** An instant, RFC 3339 in UTC with milliseconds. */
export type Moment = string;

export type Role = 'viewer' | 'operator' | 'admin';

export interface Session {
  id: number;
  user: string;
  role: Role;
  since: Moment;
  ends: Moment;
  client: string | null;
  totp: boolean;
}

export type ServiceState =
  | { state: 'running' }
  | { state: 'failed'; reason: string; retry_ms: number }
  | { state: 'draining' }
  | { state: 'stopped' };

export type ProcessStatus = ServiceState & { name: string; pid: number | null; since: Moment; restarts: number };

export interface ListenerStatus {
  service: string;
  protocol: string;
  address: string;
  interface: string | null;
  fault: string | null;
}

export interface CertificateStatus {
  names: string[];
  source: string;
  expires: Moment | null;
  days_left: number | null;
  line: number | null;
  problems: string[];
  renewal: Renewal | null;
}

export interface Renewal {
  state: 'planned' | 'ordered' | 'failed' | 'held';
  at: Moment | null;
  text: string | null;
}

export interface MachineStatus {
  memory: number;
  memory_used: number;
  memory_ours: number;
  served_after_ms: number | null;
}

export type GenerationState =
  | { state: 'active' }
  | { state: 'trial'; seconds: number }
  | { state: 'kept' }
  | { state: 'given_up' };

export type Generation = GenerationState & { number: number; created: Moment; origin: string };

export interface Status {
  version: string;
  hostname: string;
  started: Moment;
  now: Moment;
  generation: Generation;
  processes: ProcessStatus[];
  listeners: ListenerStatus[];
  certificates: CertificateStatus[];
  bans: number;
  not_built: { section: string; line: number }[];
  left_out: string[];
  machine: MachineStatus | null;
}

export interface Ban {
  client: string;
  since: Moment;
  until: Moment;
  offences: number;
  by_hand: boolean;
}

export interface Applied {
  generation: Generation;
  changed: boolean;
  notes: string[];
}

export interface ConfigText {
  generation: number;
  text: string;
}

export interface Explanation {
  text: string;
  decision: ExplainedDecision;
}

export interface ExplainedDecision {
  url: string;
  from: string;
  steps: { text: string; line: number | null }[];
  decision: 'forward' | 'redirect' | 'refuse';
  status: number | null;
  reason: string;
  line: number | null;
  target: string | null;
  notes?: string[];
  headers: [string, string][];
}

export interface Fault {
  line: number;
  column: number;
  path: string;
  what: string;
  remedy: string;
}

export interface Checked {
  /** What it was compared with. */
  generation: number;
  faults: Fault[];
  not_checked: string[];
  changed: boolean;
  /** Why it must be confirmed; none: it need not be. */
  confirm: string[];
  /** Where the pages would be and are not now, as URLs. */
  new_pages: string[];
  /** Against what is in force, in unified format. */
  diff: string;
}

export interface Table {
  title: string;
  /** Empty: nothing. */
  note: string;
  columns: string[];
  rows: string[][];
}

export interface Series {
  /** `requests_2xx`, `bytes_sent`, … */
  name: string;
  /** None: the box as a whole. */
  host: string | null;
  unit: string;
  kind: 'rate' | 'level';
  points: (number | null)[];
}

export interface History {
  step_seconds: number;
  end: Moment;
  series: Series[];
}

export interface User {
  name: string;
  role: Role;
  created: Moment;
  last_login: Moment | null;
  totp: boolean;
  recovery_codes_left: number;
}

export interface TotpOffer {
  secret: string;
  uri: string;
}

export type Blame = 'peer' | 'upstream' | 'us';

export type Outcome =
  | { outcome: 'forwarded'; target: string; new: boolean }
  | { outcome: 'answered'; status: number; reason: string }
  | { outcome: 'rejected'; status: number | null; reason: string; blame: Blame };

export type Decision = Outcome & {
  service: string;
  protocol: string;
  client: string;
  host: string;
  asked: string;
  rule: number | null;
};

export type ConfigChange =
  | { change: 'applied' }
  | { change: 'trial'; seconds: number }
  | { change: 'confirmed' }
  | { change: 'rolled_back'; reason: string }
  | { change: 'refused'; reason: string };

export type Event =
  | ({ event: 'decision' } & Decision)
  | { event: 'banned'; client: string; seconds: number; reason: string }
  | { event: 'unbanned'; client: string; lifted: boolean }
  | ({ event: 'service'; name: string } & ServiceState)
  | ({ event: 'config'; generation: number } & ConfigChange)
  | { event: 'certificate'; names: string[]; text: string }
  | { event: 'audit'; actor: string; client: string | null; text: string }
  | { event: 'login_failed'; service: string; access: string; method: string; user: string; client: string; reason: string }
  | { event: 'notice'; service: string; text: string }
  | { event: 'dropped'; count: number };

export type Record = Event & { id: number; time: Moment };
