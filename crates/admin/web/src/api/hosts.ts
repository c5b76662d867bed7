/** What is published, with its figures; the Rust types of the same names are in `control`. */

export interface HostTarget {
  target: string;
  /** Whether it is well; none: nobody looks. */
  well: boolean | null;
}

export interface HostRule {
  line: number;
  protocol: string;
  paths: string[];
  targets: HostTarget[];
  access: string[];
}

/** Counted since the start of edge. */
export interface HostFigures {
  requests: number;
  received: number;
  sent: number;
}

export interface Host {
  name: string;
  line: number;
  protocols: string[];
  rules: HostRule[];
  targets: HostTarget[];
  figures: HostFigures | null;
}
