// What the box that is none has: many hosts, bans and records, some of them hostile.

import { moment } from './box.mjs';

const HOSTILE = '<img src=x onerror=alert(1)>';
const LONG = `${'sehr-langer-name-ohne-jede-trennung'.repeat(4)}.example.com`;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Numbers that look like chance and are the same each time. */
export function chance(seed) {
  let state = seed;
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

export function users() {
  const user = (name, role, more) => ({ name, role, password: 'correct horse', created: moment(Date.now() - 90 * DAY), last_login: null, totp: false, recovery_codes_left: 0, ...more });
  return [
    user('admin', 'admin', {}),
    user('operator', 'operator', { totp: true, recovery_codes_left: 7, last_login: moment(Date.now() - 3 * HOUR) }),
    user('viewer', 'viewer', {}),
    user('a.very.long.name.of.somebody.from.the.telephone.installers@example.com', 'viewer', {}),
  ];
}

export function bans() {
  const ban = (client, minutes, offences, by_hand = false) => ({ client, since: moment(Date.now() - minutes * 60_000), until: moment(Date.now() + (300 - minutes) * 60_000), offences, by_hand });
  const many = Array.from({ length: 160 }, (_, i) => ban(i % 5 === 0 ? `2001:db8:${(i * 77).toString(16)}:1::/64` : `198.51.100.${i}`, i % 290, 21 + (i % 40)));
  return [ban('203.0.113.77', 2, 0, true), ...many];
}

export function hosts() {
  const target = (address, tls = true, well = true) => ({ address, tls, well });
  const http = (paths, targets, policy = []) => ({ protocol: 'http', paths, targets, policy: [paths.length > 1 ? 'requests without TLS are redirected to https' : 'requests without TLS are forwarded', ...policy] });
  const named = [
    ['hq.dvl-ckl2.net', [http(['/PBX0/APPCLIENT/appclient.htm', '/PBX0/APPS', '/PBX0/session', '/PBX0/user.soap', '/PBX0/ADMIN', '/OAUTH2/oauth2_login', '/PBX0/EXTRA', '/a/very/long/path/that/does/not/want/to/end/and/goes/on/without/any/place/to/break/it'], [target('172.31.31.2:80', false), target('172.31.31.2:443')], ['for who passes one of: office, vpn', 'only WebSocket is let through'])]],
    ['apps.dvl-ckl2.net', [http([], [target('172.31.31.12:443'), target('172.31.31.13:443', true, false)], ['the first target that is well is asked', 'targets are asked for /status every 10 s']), { protocol: 'ldap', paths: [], policy: [], targets: [target('172.31.31.12:389', false, null)] }]],
    ['dvl-ckl2.net/branch-b', [{ protocol: 'sip', paths: [], policy: ['the TLS target is only for clients whose certificate names them'], targets: [target('172.31.31.3:5061', true, null)] }]],
    ['ics.example.com', [{ protocol: 'tls_passthrough', paths: [], policy: ['takes all connections to 192.0.2.11', 'takes clients that send no name there, too'], targets: [target('10.0.0.21:443', true, null)] }]],
    [HOSTILE, [http([`/${HOSTILE}`], [target('10.0.0.9:80', false, null)])]],
    [LONG, [http(['/'], [target(`${LONG}:8443`, true, null)])]],
  ];
  const many = Array.from({ length: 194 }, (_, i) => [`host-${String(i).padStart(3, '0')}.example.com`, [http(i % 3 ? [`/app${i}/`] : [], [target(`10.0.${i >> 6}.${i % 200}:443`)])]]);
  return [...named, ...many].map(([name, rules], i) => ({
    name,
    line: 20 + i * 6,
    protocols: [...new Set(rules.map((rule) => rule.protocol))],
    rules: rules.map((rule, at) => ({ line: 22 + i * 6 + at, ...rule })),
    certificate: rules.some((rule) => rule.protocol === 'http') ? certificates()[i % 4] : null,
    figures: { requests: (i * 7919) % 90_000, by_class: [0, 1, 2, 3, i % 7 ? 0 : i], rejected: i % 5 ? 0 : i * 3, received: (i * 1_234_567) % 90_000_000, sent: (i * 98_765_431) % 9_000_000_000, upgraded: i % 9 ? 0 : i, forwarded: i % 4 ? [] : [{ protocol: "sip", count: i }, { protocol: "sips", count: 12 }], p50_seconds: 0.012, p95_seconds: i ? 0.25 : null },
  }));
}

export function certificates() {
  const one = (names, source, days, line, problems = [], renewal = null) => ({ names, source, expires: days === null ? null : moment(Date.now() + days * DAY + HOUR), days_left: days, line, problems, renewal });
  return [
    one(['dvl-ckl2.net', '*.dvl-ckl2.net'], 'acme', 71, 40, [], { state: 'planned', at: moment(Date.now() + 41 * DAY), text: null }),
    one(['pbx.example.com'], 'files', 12, 44),
    one([HOSTILE, LONG], 'files', 300, 47),
    one(['gate-hq'], 'own', 800, null, ['temporary: phones and browsers will not trust this']),
  ];
}

export function listeners() {
  const one = (service, protocol, address, face = null, fault = null) => ({ service, protocol, address, interface: face, fault });
  return [
    one('proxy', 'http', '[::]:90'),
    one('proxy', 'https', '[::]:453'),
    one('proxy', 'https', '192.0.2.11:453'),
    one('admin', 'https', '172.31.31.4:8443', 'eth0'),
    one('admin', 'https', '[fe80::5054:ff:fe12:3456%eth0]:8443', 'eth0'),
  ];
}

export function config(number) {
  const rows = [
    '# Gatehouse for an innovaphone site: master PBX, slave PBX and application platform.',
    'schema = 1', '', '[system]', 'hostname = "gate-hq"', '', '[network.lan]',
    'trust = "inside"                    # what may reach admin, DNS and DHCP by default', 'interface = "eth0"',
    `addresses = ["172.31.31.${number > 2 ? 4 : 5}/24"]`, 'gateway = "172.31.31.1"', '', '[admin]', 'port = 8443', '',
    '[site]', 'domain = "dvl-ckl2.net"', `public_address = "78.54.23.24${number}"`, '',
  ];
  for (let i = 0; i < 60; i++) {
    rows.push('[[host]]', `name = "host-${String(i).padStart(3, '0')}.example.com"`, `target = "10.0.0.${i}"`, '[[host.http]]', `paths = ["/app${i}/"]   # generation ${i === 3 ? number : 1}`, '');
  }
  rows.push(`# ${HOSTILE}`, `# ${'a line that is long '.repeat(12)}`);
  return `${rows.join('\n')}\n`;
}

/** Makes events, one at a call. */
export function records() {
  const next = chance(11);
  const pick = (list) => list[next(list.length)];
  const paths = ['/PBX0/APPS', '/PBX0/session', '/.env', '/wp-login.php', '/cgi-bin/luci', `/?q=${HOSTILE}`, '/owa/auth/logon.aspx', `/${'long/'.repeat(60)}`];
  const names = ['hq.dvl-ckl2.net', 'apps.dvl-ckl2.net', 'unknown.example', '203.0.113.10', HOSTILE, LONG, '', 'a\u202eb\u0000c'];
  const reasons = [
    [404, 'no path of the host matches', 'peer'], [404, 'no [[host]] of that name serves HTTP', 'peer'], [400, 'malformed request: Host is missing', 'peer'],
    [502, 'target 172.31.31.2:443 can not be reached: connection refused', 'upstream'], [null, 'no TLS hello: the first byte is "G"', 'peer'],
    [403, 'plain http is refused for this path', 'peer'], [403, `not allowed by access \`${HOSTILE}\``, 'peer'], [421, `the TLS connection was made for "${LONG}", which has another certificate`, 'peer'],
  ];
  const client = () => (next(4) === 0 ? `[2001:db8:${next(9999).toString(16)}::${next(99)}]:${1024 + next(60_000)}` : `203.0.113.${next(255)}:${1024 + next(60_000)}`);
  const decision = (outcome) => ({
    event: 'decision', service: 'proxy', protocol: pick(['http', 'https', 'https']), client: client(), host: pick(names),
    asked: `${pick(['GET', 'POST'])} ${pick(paths)}`, ...outcome, rule: next(3) ? 20 + next(300) : null,
  });
  const rejected = () => {
    const [status, reason, blame] = pick(reasons);
    return decision({ outcome: 'rejected', status, reason, blame });
  };
  const others = [
    () => ({ event: 'banned', client: `203.0.113.${next(255)}`, seconds: 300, reason: '21 offences within a minute' }),
    () => ({ event: 'banned', client: '2001:db8:1:2::', seconds: 5400, reason: `by hand: ${HOSTILE}` }),
    () => ({ event: 'unbanned', client: `203.0.113.${next(255)}`, lifted: next(2) === 0 }),
    () => ({ event: 'service', name: 'edge', state: 'failed', reason: 'ended by signal 9', retry_ms: 500 }),
    () => ({ event: 'service', name: 'edge', state: 'running' }),
    () => ({ event: 'config', generation: 5, change: 'refused', reason: 'gatehouse.toml:7: host: unknown key, did you mean "hosts"\ngatehouse.toml:9: port: not a number, write 1 to 65535' }),
    () => ({ event: 'certificate', names: ['pbx.example.com'], text: 'ends in 12 days' }),
    () => ({ event: 'notice', service: 'uplink', text: 'lan: 172.31.31.4/24 from 172.31.31.1, for 1 day' }),
    () => ({ event: 'audit', actor: 'operator', client: '172.31.31.50', text: 'lifted the ban of 203.0.113.9' }),
    () => ({ event: 'audit', actor: HOSTILE, client: null, text: 'tried to sign in with a wrong password' }),
    () => ({ event: 'dropped', count: 17 }),
  ];
  return () => {
    const dice = next(20);
    if (dice < 13) return rejected();
    if (dice < 16) return decision({ outcome: 'forwarded', target: pick(['172.31.31.2:443', `https://${LONG}:8443`]), new: next(2) === 0 });
    if (dice < 18) return decision({ outcome: 'answered', status: 301, reason: 'redirected to https' });
    return pick(others)();
  };
}

/** Figures of the last seconds, as they would come. */
export function history(seconds) {
  const step = seconds > 3600 ? 60 : 10;
  const count = Math.floor(seconds / step);
  const next = chance(seconds);
  const curve = (base, swing) =>
    Array.from({ length: count }, (_, i) => {
      if (i > count * 0.3 && i < count * 0.33) return null;
      const wave = Math.sin((i / count) * 9) + Math.sin((i / count) * 37) / 3;
      return Math.max(0, base + swing * wave + (swing * next(100)) / 250);
    });
  const one = (name, unit, kind, points) => ({ name, host: null, unit, kind, points });
  const rounded = (points) => points.map((point) => (point === null ? null : Math.round(point)));
  return {
    step_seconds: step,
    end: moment(Date.now()),
    series: [
      one('requests_1xx', 'requests/s', 'rate', curve(0.2, 0.2)),
      one('requests_2xx', 'requests/s', 'rate', curve(38, 24)),
      one('requests_3xx', 'requests/s', 'rate', curve(3, 2)),
      one('requests_4xx', 'requests/s', 'rate', curve(2, 2)),
      one('requests_5xx', 'requests/s', 'rate', curve(0.1, 0.9)),
      one('bytes_received', 'bytes/s', 'rate', curve(90_000, 60_000)),
      one('bytes_sent', 'bytes/s', 'rate', curve(900_000, 700_000)),
      one('rejected', 'rejections/s', 'rate', curve(0.6, 0.9)),
      one('connections', 'connections', 'level', rounded(curve(240, 60))),
      one('memory_ours', 'bytes', 'level', rounded(curve(58_000_000, 4_000_000))),
      one('memory_used', 'bytes', 'level', rounded(curve(380_000_000, 20_000_000))),
      one('cpu', 'cores', 'rate', curve(0.2, 0.15)),
      { ...one('requests', 'requests/s', 'rate', curve(20, 10)), host: 'hq.dvl-ckl2.net' },
    ],
  };
}
