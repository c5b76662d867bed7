// The state of the box that is none.

import { randomBytes } from 'node:crypto';
import { bans, certificates, config, hosts, listeners, records, users } from './data.mjs';

const KEPT = 3000;

export class Box {
  constructor() {
    this.started = Date.now() - 4 * 86_400_000 - 7_260_000;
    this.away = false;
    this.sessions = new Map();
    this.lastSession = 0;
    this.users = users();
    this.bans = bans();
    this.hosts = hosts();
    this.certificates = certificates();
    this.listeners = listeners();
    this.generations = [1, 2, 3, 4, 5].map((number) => ({
      number,
      created: moment(this.started + number * 3_600_000),
      origin: ['factory', 'reload', 'network set lan 172.31.31.4/24', 'apply', 'rollback to 3'][number - 1],
      given_up: number === 4,
      text: config(number),
    }));
    this.inForce = 5;
    this.trial = null;
    this.processes = [
      { name: 'supervisor', pid: 1, state: 'running', since: moment(this.started), restarts: 0 },
      { name: 'edge', pid: 412, state: 'running', since: moment(this.started + 9_000_000), restarts: 1 },
      { name: 'admin', pid: 413, state: 'running', since: moment(this.started), restarts: 0 },
      { name: 'console', pid: 420, state: 'running', since: moment(this.started), restarts: 0 },
    ];
    this.leftOut = [];
    this.notBuilt = [{ section: 'turn', line: 62 }, { section: 'dns', line: 70 }, { section: 'host.sip', line: 55 }];
    this.secrets = new Set(['pbx-key', 'acme-tsig']);
    this.rate = 2;
    this.followers = new Set();
    this.streams = new Set();
    this.log = [];
    this.nextId = Date.now() * 1000 + 1;
    this.make = records();
    for (let i = 0; i < 400; i++) this.push(this.make(), Date.now() - (400 - i) * 1500);
    this.timer = setInterval(() => this.tick(), 100);
    this.carry = 0;
  }

  /** Ends all streams, as a cable that is pulled. */
  cut() {
    for (const response of this.streams) response.destroy();
  }

  stop() {
    clearInterval(this.timer);
    clearTimeout(this.trial?.timer);
  }

  /** Some records, as many as `rate` says for a tenth of a second. */
  tick() {
    this.carry += this.rate / 10;
    for (; this.carry >= 1; this.carry--) this.push(this.make(), Date.now());
  }

  push(event, time) {
    const record = { id: this.nextId++, time: moment(time), ...event };
    this.log.push(record);
    if (this.log.length > KEPT) this.log.shift();
    for (const tell of this.followers) tell(record);
  }

  login(name, password, client) {
    const user = this.users.find((user) => user.name === name && user.password === password);
    if (!user) return null;
    user.last_login = moment(Date.now());
    const session = { id: ++this.lastSession, token: randomBytes(16).toString('hex'), user: user.name, client, since: moment(Date.now()), ends: moment(Date.now() + 43_200_000) };
    this.sessions.set(session.token, session);
    return session;
  }

  sessionOf(cookie) {
    const token = /gatehouse-mock=([0-9a-f]+)/.exec(cookie ?? '')?.[1];
    const session = token && this.sessions.get(token);
    return session && this.userOf(session) ? session : null;
  }

  userOf(session) {
    return this.users.find((user) => user.name === session.user);
  }

  shown(session) {
    const { role, totp } = this.userOf(session);
    const { id, user, since, ends, client } = session;
    return { id, user, role, since, ends, client, totp };
  }

  end(id) {
    for (const [token, session] of this.sessions) {
      if (session.id === id) this.sessions.delete(token);
    }
  }

  generation(number) {
    const found = this.generations.find((generation) => generation.number === number);
    if (!found) return null;
    const { created, origin, given_up } = found;
    const state =
      number !== this.inForce
        ? { state: given_up ? 'given_up' : 'kept' }
        : this.trial
          ? { state: 'trial', seconds: Math.max(0, Math.floor((this.trial.until - Date.now()) / 1000)) }
          : { state: 'active' };
    return { number, created, origin, ...state };
  }

  text(number = this.inForce) {
    return this.generations.find((generation) => generation.number === number)?.text;
  }

  /** `by`: who alone can confirm it, beside administrators. */
  apply(text, origin, trialSeconds, by) {
    const number = this.generations.length + 1;
    const before = this.inForce;
    this.generations.push({ number, created: moment(Date.now()), origin, given_up: false, text });
    this.inForce = number;
    if (trialSeconds) {
      const timer = setTimeout(() => this.giveUp(), trialSeconds * 1000);
      this.trial = { until: Date.now() + trialSeconds * 1000, before, timer, by };
      this.push({ event: 'config', generation: number, change: 'trial', seconds: trialSeconds }, Date.now());
    } else this.push({ event: 'config', generation: number, change: 'applied' }, Date.now());
    return this.generation(number);
  }

  confirm() {
    clearTimeout(this.trial.timer);
    this.trial = null;
    this.push({ event: 'config', generation: this.inForce, change: 'confirmed' }, Date.now());
  }

  giveUp() {
    clearTimeout(this.trial.timer);
    this.generations.find((generation) => generation.number === this.inForce).given_up = true;
    this.inForce = this.trial.before;
    this.trial = null;
    this.push({ event: 'config', generation: this.inForce, change: 'rolled_back', reason: 'not confirmed in time' }, Date.now());
  }

  status() {
    return {
      version: '0.1.0',
      hostname: 'gate-hq',
      started: moment(this.started),
      now: moment(Date.now()),
      generation: this.generation(this.inForce),
      processes: this.processes,
      listeners: this.listeners,
      certificates: this.certificates,
      bans: this.bans.length,
      not_built: this.notBuilt,
      left_out: this.leftOut,
      machine: { memory: 1_031_798_784, memory_used: 388_128_768, memory_ours: 61_128_704, served_after_ms: 9400 },
    };
  }
}

export function moment(ms) {
  return new Date(ms).toISOString();
}
