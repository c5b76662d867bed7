/** What is published, with its figures; the Rust types of the same names are in `control`. */

import type { CertificateStatus } from './shapes.ts';

export type HostProtocol = 'http' | 'tls_passthrough' | 'sip' | 'ldap' | 'h323';

export interface HostTarget {
  address: string;
  tls: boolean;
  /** Whether it is well; none: nobody knows. */
  well: boolean | null;
}

export interface HostRule {
  line: number;
  protocol: HostProtocol;
  /** `/` alone: the empty path; none: every path. */
  paths: string[];
  /** What holds for it besides, one sentence each. */
  policy: string[];
  targets: HostTarget[];
}

/** Counted since the process that serves it started. */
export interface HostFigures {
  requests: number;
  /** 1xx to 5xx. */
  by_class: number[];
  rejected: number;
  received: number;
  sent: number;
  /** WebSockets and passed-through connections that are open. */
  upgraded: number;
  /** Connections of SIP, LDAP and H.323 that are open, by what their clients speak. */
  forwarded: OpenConnections[];
  p50_seconds: number | null;
  p95_seconds: number | null;
}

export interface OpenConnections {
  protocol: string;
  count: number;
}

export interface Host {
  name: string;
  line: number;
  protocols: HostProtocol[];
  rules: HostRule[];
  certificate: CertificateStatus | null;
  figures: HostFigures | null;
}
