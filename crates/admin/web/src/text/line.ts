/** A record of the log as one line: the same words as `gatehouse log`. */

import type { Record } from '../api/shapes.ts';
import { shortSpan } from './span.ts';
import { visible } from './visible.ts';

/** The record as one line, without the end of line. */
export function line(record: Record): string {
  return `${record.time.slice(0, 19)}Z ${word(record)} ${rest(record)}`;
}

/** The word that says what happened, such as `rejected`. */
export function word(record: Record): string {
  if (record.event === 'login_failed') return 'login-failed';
  return record.event === 'decision' ? record.outcome : record.event;
}

/** The service a record is about. */
export function serviceOf(record: Record): string {
  switch (record.event) {
    case 'decision':
    case 'notice':
    case 'login_failed':
      return record.service;
    case 'service':
      return record.name;
    case 'banned':
    case 'unbanned':
      return 'guard';
    case 'config':
      return 'config';
    case 'certificate':
      return 'certs';
    case 'audit':
      return 'audit';
    case 'dropped':
      return 'log';
    default:
      return 'unknown';
  }
}

/** The client a record is about, without its port; empty: none. */
export function clientOf(record: Record): string {
  if (record.event === 'decision') return withoutPort(record.client);
  if (record.event === 'audit') return record.client ?? '';
  if (record.event === 'login_failed') return record.client;
  return record.event === 'banned' || record.event === 'unbanned' ? record.client : '';
}

/** An address that is banned, or the network where IPv6 is counted by /64. */
export function bannedClient(client: string): string {
  return client.includes(':') && !client.includes('/') ? `${client}/64` : client;
}

function withoutPort(address: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(address);
  return bracketed?.[1] ?? address.replace(/:\d+$/, '');
}

function rest(record: Record): string {
  switch (record.event) {
    case 'decision':
      return decision(record);
    case 'banned':
      return `${bannedClient(record.client)} for ${shortSpan(record.seconds)}: ${visible(record.reason)}`;
    case 'unbanned':
      return `${bannedClient(record.client)}: ${record.lifted ? 'by the operator' : 'its time is over'}`;
    case 'service':
      return service(record);
    case 'config':
      return config(record);
    case 'certificate':
      return `${visible(record.names.join(', '))}: ${visible(record.text)}`;
    case 'audit':
      return `${visible(record.actor)}${record.client === null ? '' : ` at ${record.client}`}: ${visible(record.text)}`;
    case 'login_failed': {
      const user = record.user === '' ? '-' : visible(record.user);
      return `${user} at ${record.client} by ${visible(record.method)} (${visible(record.access)}): ${visible(record.reason)}`;
    }
    case 'notice':
      return `${visible(record.service)}: ${visible(record.text)}`;
    case 'dropped':
      return `${record.count} records: they came faster than they could be taken`;
    default:
      // News of a later version than these pages.
      return visible(JSON.stringify(record));
  }
}

function decision(record: Record & { event: 'decision' }): string {
  const asked = record.asked === '' ? '' : ` ${visible(record.asked)}`;
  const start = `${record.client} ${record.protocol} ${visible(record.host) || '-'}${asked}`;
  const end = record.rule === null ? '' : ` (line ${record.rule})`;
  switch (record.outcome) {
    case 'forwarded':
      return `${start} -> ${visible(record.target)}${record.new ? ' (new)' : ''}${end}`;
    case 'answered':
      return `${start}: ${record.status} ${visible(record.reason)}${end}`;
    case 'rejected':
      return `${start}: ${visible(record.reason)}${end}`;
  }
}

function service(record: Record & { event: 'service' }): string {
  const name = visible(record.name);
  if (record.state !== 'failed') return `${name} ${record.state}`;
  const again = `${Math.floor(record.retry_ms / 1000)}.${Math.floor((record.retry_ms % 1000) / 100)}s`;
  return `${name} failed: ${visible(record.reason)}; again in ${again}`;
}

function config(record: Record & { event: 'config' }): string {
  const generation = `generation ${record.generation}`;
  switch (record.change) {
    case 'applied':
      return `${generation} is in force`;
    case 'trial':
      return `${generation} is in force on trial: rolled back in ${shortSpan(record.seconds)} unless confirmed`;
    case 'confirmed':
      return `${generation} is confirmed`;
    case 'rolled_back':
      return `rolled back to ${generation}: ${visible(record.reason)}`;
    case 'refused': {
      const faults = record.reason.trimEnd().split('\n').join('; ');
      return `refused, ${generation} stays in force: ${visible(faults)}`;
    }
  }
}

/** The address that a decision was about, as it is typed; none: it was about no request of the web. */
export function urlOf(record: Record & { event: 'decision' }): string | null {
  const path = /^[A-Z]+ (\/.*)$/.exec(record.asked)?.[1];
  if (path === undefined || record.host === '' || !/^https?$/.test(record.protocol)) return null;
  return `${record.protocol}://${record.host}${path}`;
}
