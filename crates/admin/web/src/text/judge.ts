/** What of the box is well and what is not, and what to do about it. */

import type { CertificateStatus, Status } from '../api/shapes.ts';
import type { Formats, Words } from '../words/use.ts';
import { visible } from './visible.ts';

export interface Finding {
  /** `bad`: does not work; `warn`: will not for long, or not for everybody; `note`: good to know. */
  level: 'bad' | 'warn' | 'note';
  text: string;
  /** What the box says to it, in English. */
  said?: string[];
  todo: string;
  href?: string;
}

/** A target that is known to be passed over. */
export interface UnwellTarget {
  target: string;
  host: string;
}

const DAY = 86_400_000;
/** Days before its end when a certificate is told of. */
const SOON = 21;
const MEMORY_FULL = 0.9;
/** Restarts that are no accident any more. */
const MANY_RESTARTS = 3;

/** All findings, the worst first. */
export function judge(status: Status, unwell: UnwellTarget[], w: Words, f: Formats): Finding[] {
  const all = [
    ...processes(status, w, f),
    ...listeners(status, w),
    ...certificates(status, w, f),
    ...targets(unwell, w),
    ...machine(status, w, f),
    ...notes(status, w),
  ];
  const order = { bad: 0, warn: 1, note: 2 };
  return all.sort((a, b) => order[a.level] - order[b.level]);
}

/** Whole days until `end`; below zero: it is over. */
export function daysLeft(end: string, now: string): number {
  return Math.floor((Date.parse(end) - Date.parse(now)) / DAY);
}

function processes(status: Status, w: Words, f: Formats): Finding[] {
  return status.processes.flatMap((process): Finding[] => {
    const name = visible(process.name);
    if (process.state === 'failed') {
      return [{ level: 'bad', text: w.judge.process(name), said: [visible(process.reason)], todo: w.judge.processTodo, href: '/log' }];
    }
    if (process.state === 'stopped') return [{ level: 'bad', text: w.judge.stopped(name), todo: w.judge.stoppedTodo }];
    if (process.restarts < MANY_RESTARTS) return [];
    return [{ level: 'warn', text: w.judge.restarts(name, f.count(process.restarts)), todo: w.judge.restartsTodo, href: '/log' }];
  });
}

function listeners(status: Status, w: Words): Finding[] {
  return status.listeners
    .filter((listener) => listener.fault !== null)
    .map((listener) => ({
      level: 'bad',
      text: w.judge.listener(listener.protocol, listener.address),
      said: [visible(listener.fault ?? '')],
      todo: w.judge.listenerTodo,
    }));
}

function certificates(status: Status, w: Words, f: Formats): Finding[] {
  const own = status.certificates.filter(temporary);
  const rest = status.certificates.filter((certificate) => !temporary(certificate));
  const found = rest.flatMap((certificate) => certificateFindings(certificate, status.now, w, f));
  const [first] = own;
  if (!first) return found;
  const names = named(own.map((certificate) => certificate.names[0] ?? '?'), w, f);
  const text = own.length === 1 ? w.judge.certTemporary(names) : w.judge.certTemporaryMany(f.count(own.length), names);
  return [...found, { level: 'note', text, todo: w.judge.certTemporaryTodo }];
}

function temporary(certificate: CertificateStatus): boolean {
  return certificate.source === 'own' && certificate.expires !== null;
}

function certificateFindings(certificate: CertificateStatus, now: string, w: Words, f: Formats): Finding[] {
  const names = named(certificate.names, w, f);
  const line = certificate.line === null ? {} : { href: `/config#L${certificate.line}` };
  const found: Finding[] = [];
  if (certificate.expires === null) {
    found.push({ level: 'bad', text: w.judge.certMissing(names), todo: w.judge.certTodo, ...line });
  } else {
    const days = daysLeft(certificate.expires, now);
    if (days < 0) found.push({ level: 'bad', text: w.judge.certEnded(names), todo: w.judge.certTodo, ...line });
    else if (days < SOON) {
      const text = w.judge.certSoon(names, w.overview.days(days, f.count(days)));
      found.push({ level: 'warn', text, todo: w.judge.certTodo, ...line });
    }
  }
  if (certificate.problems.length > 0) {
    const said = certificate.problems.map(visible);
    found.push({ level: 'warn', text: w.judge.certProblem(names), said, todo: w.judge.certTodo, ...line });
  }
  return found;
}

function targets(unwell: UnwellTarget[], w: Words): Finding[] {
  return unwell.map(({ target, host }) => ({
    level: 'bad',
    text: w.judge.target(visible(target), visible(host)),
    todo: w.judge.targetTodo,
    href: '/hosts',
  }));
}

function machine(status: Status, w: Words, f: Formats): Finding[] {
  const { machine } = status;
  if (!machine || machine.memory === 0) return [];
  const share = machine.memory_used / machine.memory;
  if (share < MEMORY_FULL) return [];
  return [{ level: 'warn', text: w.judge.memory(f.percent(share)), todo: w.judge.memoryTodo, href: '/config' }];
}

function notes(status: Status, w: Words): Finding[] {
  const found: Finding[] = [];
  if (status.generation.state === 'trial') {
    found.push({ level: 'warn', text: w.judge.trial(status.generation.number), todo: w.judge.trialTodo, href: '/config' });
  }
  if (status.left_out.length > 0) {
    found.push({ level: 'warn', text: w.judge.leftOut, said: status.left_out.map(visible), todo: w.judge.leftOutTodo });
  }
  const [first] = status.not_built;
  if (first) {
    const sections = [...new Set(status.not_built.map((part) => part.section))].join(', ');
    found.push({ level: 'note', text: w.judge.notBuilt(sections), todo: w.judge.notBuiltTodo, href: `/config#L${first.line}` });
  }
  return found;
}

/** Names for reading: the first three, and how many more. */
function named(names: string[], w: Words, f: Formats): string {
  const shown = names.slice(0, 3).map(visible).join(', ');
  return names.length <= 3 ? shown : w.judge.names(shown, f.count(names.length - 3));
}
