// The answers of the box that is none.

import { randomInt } from 'node:crypto';
import { moment } from './box.mjs';
import { history } from './data.mjs';

const RANK = { viewer: 0, operator: 1, admin: 2 };

/** Method and path, the least role, and what is answered; `null` as role: anybody who is logged in. */
const ROUTES = [
  ['GET /session', null, ({ box, session }) => box.shown(session)],
  ['GET /status', null, ({ box }) => box.status()],
  ['GET /history', null, ({ url }) => history(Number(url.searchParams.get('seconds') ?? 3600))],
  ['GET /hosts', null, ({ box }) => box.hosts],
  ['GET /bans', null, ({ box }) => box.bans],
  ['POST /bans', 'operator', newBan],
  ['DELETE /bans', 'operator', liftBan],
  ['GET /generations', null, ({ box }) => box.generations.map(({ number }) => box.generation(number))],
  ['GET /config', null, getConfig],
  ['POST /check', 'operator', ({ box, sent }) => check(box, sent.text)],
  ['POST /apply', 'operator', apply],
  ['POST /confirm', 'operator', confirm],
  ['POST /rollback', 'operator', rollback],
  ['GET /derived', null, derived],
  ['GET /explain', null, explain],
  ['GET /certificates/root', null, () => ({ pem: '-----BEGIN CERTIFICATE-----\n' })],
  ['POST /certificates/renew', 'operator', () => null],
  ['GET /secrets', null, ({ box }) => [...box.secrets].sort()],
  ['PUT /secrets', 'operator', ({ box, sent }) => void box.secrets.add(sent.name)],
  ['DELETE /secrets', 'operator', ({ box, url }) => void box.secrets.delete(url.searchParams.get('name'))],
  ['GET /users', 'admin', ({ box }) => box.users.map(({ password, ...user }) => user)],
  ['POST /users', 'admin', newUser],
  ['PATCH /users', 'admin', changeUser],
  ['DELETE /users', 'admin', removeUser],
  ['DELETE /users/totp', 'admin', (ask) => totp(named(ask), false)],
  ['GET /sessions', null, ({ box, session, role }) => [...box.sessions.values()].filter((one) => role === 'admin' || one.user === session.user).map((one) => box.shown(one))],
  ['DELETE /sessions', null, ({ box, url }) => box.end(Number(url.searchParams.get('id')))],
  ['DELETE /session', null, ({ box, session }) => box.end(session.id)],
  ['PUT /session/password', null, changePassword],
  ['POST /session/totp', null, offerTotp],
  ['PUT /session/totp', null, turnTotpOn],
  ['DELETE /session/totp', null, turnTotpOff],
];

class Refusal {
  constructor(status, kind, message) {
    Object.assign(this, { status, kind, message });
  }
}

const refuse = (status, kind, message) => {
  throw new Refusal(status, kind, message);
};

export function answer(ask) {
  const { request, response, url, session, box } = ask;
  const path = url.pathname.slice('/api/v1'.length);
  const reply = (status, value) => response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(value));
  try {
    if (!session) refuse(401, 'unauthorized', 'sign in first, or again');
    if (request.method !== 'GET') guarded(request);
    if (path === '/log') return log(ask);
    const route = ROUTES.find(([name]) => name === `${request.method} ${path}`);
    if (!route) refuse(404, 'not_found', `the control API has no ${path}`);
    ask.role = box.userOf(session).role;
    if (RANK[ask.role] < RANK[route[1] ?? 'viewer']) refuse(403, 'forbidden', `this is for the role ${route[1]}`);
    ask.sent = ask.body === '' ? null : JSON.parse(ask.body);
    reply(200, route[2](ask) ?? null);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    reply(error.status, { kind: error.kind, message: error.message });
  }
}

function guarded(request) {
  if (request.headers['content-type'] !== 'application/json') refuse(415, 'invalid', 'only application/json');
  if (request.headers['sec-fetch-site'] !== 'same-origin') refuse(403, 'forbidden', 'from another site');
}

/** The log as server-sent events, or as lines. */
function log({ box, url, request, response }) {
  const last = Number(url.searchParams.get('last') ?? 0);
  const after = Number(request.headers['last-event-id'] ?? url.searchParams.get('after') ?? 0);
  const kept = after ? box.log.filter((record) => record.id > after) : box.log.slice(-last);
  if (request.headers.accept !== 'text/event-stream') {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    return response.end(kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (record) => response.write(`id: ${record.id}\nevent: record\ndata: ${JSON.stringify(record)}\n\n`);
  kept.forEach(send);
  box.followers.add(send);
  box.streams.add(response);
  const alive = setInterval(() => response.write(': still here\n\n'), 15_000);
  response.on('close', () => {
    clearInterval(alive);
    box.followers.delete(send);
    box.streams.delete(response);
  });
}

function newBan({ box, sent }) {
  if (!sent.reason) refuse(422, 'invalid', 'the reason has 0 characters, 1 to 200 are taken');
  const ban = { client: sent.client, since: moment(Date.now()), until: moment(Date.now() + sent.seconds * 1000), offences: 0, by_hand: true };
  box.bans = [ban, ...box.bans.filter((one) => one.client !== sent.client)];
  box.push({ event: 'banned', client: sent.client, seconds: sent.seconds, reason: sent.reason }, Date.now());
  return ban;
}

function liftBan({ box, url }) {
  const client = url.searchParams.get('client');
  const before = box.bans.length;
  box.bans = client ? box.bans.filter((ban) => ban.client.replace('/64', '') !== client) : [];
  return { cleared: before - box.bans.length };
}

function getConfig({ box, url }) {
  const generation = Number(url.searchParams.get('generation') ?? box.inForce);
  const text = box.text(generation);
  if (text === undefined) refuse(404, 'not_found', `generation ${generation} is not kept`);
  return { generation, text };
}

/** A key "fault" in the text is one; so that tests can make them. */
function check(box, text) {
  const faults = text.split('\n').flatMap((line, index) =>
    /^\s*fault/.test(line) ? [{ line: index + 1, column: 1, path: 'host["<img src=x onerror=alert(1)>"].fault', what: 'unknown key `fault`', remedy: 'did you mean `paths`?' }] : [],
  );
  const old = box.text().split('\n');
  const now = text.split('\n');
  const at = now.findIndex((line, index) => line !== old[index]);
  const changed = text !== box.text();
  const confirm = ['addresses', 'port', 'gateway'].some((key) => value(text, key) !== value(box.text(), key)) ? ['the networks'] : [];
  const diff = changed ? `--- generation ${box.inForce}\n+++ draft\n@@ -${at + 1},1 +${at + 1},1 @@\n-${old[at] ?? ''}\n+${now[at] ?? ''}\n` : '';
  const place = (text) => `https://${/addresses = \["([^"/]+)/.exec(text)?.[1]}:${value(text, 'port')}/`;
  const new_pages = place(text) === place(box.text()) ? [] : [place(text)];
  return { generation: box.inForce, new_pages, faults, not_checked: ['line 40: certificate[0].key: not checked that the store holds the secret `pbx-key`'], changed, confirm, diff };
}

function value(text, key) {
  return new RegExp(`^${key} = (.*)$`, 'm').exec(text)?.[1];
}

function apply({ box, sent }) {
  if (sent.base !== box.inForce) refuse(409, 'conflict', `generation ${box.inForce} is in force, not ${sent.base}`);
  const { faults, confirm, changed } = check(box, sent.text);
  if (faults.length > 0) refuse(422, 'invalid', faults.map((fault) => `${fault.line}: ${fault.what}`).join('\n'));
  if (!changed) return { generation: box.generation(box.inForce), changed: false, notes: [] };
  const seconds = sent.trial_seconds ?? (confirm.length > 0 ? 180 : null);
  return { generation: box.apply(sent.text, 'apply', seconds), changed: true, notes: [] };
}

function stale(box, number) {
  if (number !== null && (!box.trial || Number(number) !== box.inForce)) {
    refuse(409, 'conflict', `generation ${number} is not on trial any more; generation ${box.inForce} is in force, and nothing was changed`);
  }
}

function confirm({ box, url, role }) {
  stale(box, url.searchParams.get('generation'));
  if (box.trial?.by && role !== 'admin') refuse(403, 'forbidden', `this change was begun by ${box.trial.by} in another session; it is confirmed there, by an admin, at the console or with \`gatehouse confirm\``);
  if (!box.trial) refuse(409, 'conflict', 'nothing is on trial');
  box.confirm();
  return { generation: box.generation(box.inForce), changed: true, notes: [] };
}

function rollback({ box, url }) {
  stale(box, url.searchParams.get('trial'));
  const number = Number(url.searchParams.get('generation') ?? 0);
  if (box.trial && number === 0) box.giveUp();
  else box.apply(box.text(number || box.inForce - 1), `rollback to ${number}`, null);
  return { generation: box.generation(box.inForce), changed: true, notes: [] };
}

function derived() {
  return {
    tables: [
      { title: 'Listens', note: '', columns: ['service', 'protocol', 'port', 'on', 'line'], rows: [['proxy', 'https', '453/tcp', 'all addresses', 'line 30'], ['admin', 'https', '8443/tcp', 'zone lan (eth0)', 'line 13']] },
      { title: 'Certificate names', note: '', columns: ['name', 'for', 'certificate'], rows: [['hq.dvl-ckl2.net', 'host (line 20)', 'line 40'], ['gate-hq', 'admin (line 13)', 'own CA']] },
      { title: 'Internal DNS', note: '', columns: ['name', 'type', 'value', 'line'], rows: Array.from({ length: 60 }, (_, i) => [`host-${i}.example.com`, 'A', `10.0.0.${i}`, String(20 + i * 6)]) },
      { title: 'Official DNS', note: 'to be entered at the provider', columns: ['name', 'type', 'value', 'line'], rows: [['hq.dvl-ckl2.net', 'A', '78.54.23.241', '16']] },
      { title: 'Port forwards of the router upstream', note: '', columns: ['protocol', 'from outside', 'to us', 'address'], rows: [] },
    ],
  };
}

function explain({ url }) {
  const asked = url.searchParams.get('url');
  const from = url.searchParams.get('from') ?? '203.0.113.1';
  if (!/^(https?|wss?):\/\//.test(asked)) refuse(422, 'invalid', `"${asked}" is no http, https, ws or wss URL; write for instance https://host.example/path`);
  const forward = asked.includes('hq.');
  const decision = {
    url: asked, from,
    steps: [{ text: 'https on the public port 443, here 453', line: null }, { text: 'host hq.dvl-ckl2.net', line: 20 }, { text: 'path /PBX0/APPS: matches', line: 22 }],
    decision: forward ? 'forward' : 'refuse', status: forward ? null : 404,
    reason: forward ? 'its certificate: any is believed' : 'no path of the host matches', line: 22,
    target: forward ? 'https://172.31.31.2:443' : null,
    notes: forward ? ['our certificate, if it asks for one: gate-hq, from the box\'s own CA'] : undefined,
    headers: forward ? [['Host', 'hq.dvl-ckl2.net'], ['X-Forwarded-For', from], ['X-Forwarded-Proto', 'https'], ['X-Long', 'x'.repeat(300)]] : [],
  };
  return { text: `${asked} from ${from}\n  ${decision.steps.map((step) => step.text).join('\n  ')}\n${decision.decision}`, decision };
}

function named({ box, url }) {
  return box.users.find((user) => user.name === url.searchParams.get('name')) ?? refuse(404, 'not_found', 'there is no such user');
}

function newUser({ box, sent }) {
  if (box.users.some((user) => user.name === sent.name)) refuse(409, 'conflict', `there is a user ${sent.name} already`);
  const user = { ...sent, created: moment(Date.now()), last_login: null, totp: false, recovery_codes_left: 0 };
  box.users.push(user);
  const { password, ...shown } = user;
  return shown;
}

function lastAdmin(box, user) {
  if (user.role === 'admin' && box.users.filter((one) => one.role === 'admin').length === 1) refuse(409, 'conflict', 'this is the last admin; make somebody else admin first');
}

function changeUser(ask) {
  const user = named(ask);
  if (ask.sent.role && ask.sent.role !== 'admin') lastAdmin(ask.box, user);
  Object.assign(user, ask.sent);
  const { password, ...shown } = user;
  return shown;
}

function removeUser(ask) {
  const user = named(ask);
  lastAdmin(ask.box, user);
  ask.box.users.splice(ask.box.users.indexOf(user), 1);
}

function own({ box, session, sent }) {
  const user = box.userOf(session);
  if (sent && 'password' in sent && sent.password !== user.password) refuse(422, 'invalid', 'the password is wrong');
  return user;
}

function changePassword(ask) {
  const user = own(ask);
  if (ask.sent.old !== user.password) refuse(422, 'invalid', 'the password is wrong');
  user.password = ask.sent.new;
}

function offerTotp(ask) {
  const { name } = own(ask);
  const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
  return { secret, uri: `otpauth://totp/Gatehouse%20gate-hq:${encodeURIComponent(name)}?secret=${secret}&issuer=Gatehouse%20gate-hq` };
}

function turnTotpOn(ask) {
  if (!/^\d{6}$/.test(ask.sent.code)) refuse(422, 'invalid', 'this is not the code of the moment; look whether the clocks of the phone and of the box are right');
  totp(own(ask), true);
  return { codes: Array.from({ length: 10 }, () => `${randomInt(36 ** 4, 36 ** 5).toString(36)}-${randomInt(36 ** 4, 36 ** 5).toString(36)}`) };
}

function turnTotpOff(ask) {
  const user = own(ask);
  if (!user.totp) refuse(409, 'conflict', 'there is no authenticator app');
  if (ask.sent.password !== user.password) refuse(422, 'invalid', 'the password is wrong');
  if (!/^\d{6}$/.test(ask.sent.code ?? '')) refuse(422, 'invalid', 'type a code of your authenticator app, or a recovery code, too');
  totp(user, false);
}

function totp(user, on) {
  Object.assign(user, { totp: on, recovery_codes_left: on ? 10 : 0 });
}
