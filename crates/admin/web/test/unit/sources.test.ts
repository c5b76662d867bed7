import assert from 'node:assert/strict';
import { test } from 'node:test';
import { said } from '../../src/words/said.ts';
import { literals, read, rust, sample } from './rust.ts';

/** Where the box makes what it refuses with and what it writes down of operators. */
const SOURCES = [
  'crates/control/src/admission.rs',
  'crates/control/src/server/configuration.rs',
  'crates/gatehouse/src/supervisor/backend.rs',
  'crates/gatehouse/src/supervisor/change.rs',
  'crates/gatehouse/src/supervisor/entrance',
  'crates/gatehouse/src/supervisor/gate.rs',
  'crates/gatehouse/src/supervisor/operators',
  'crates/gatehouse/src/supervisor/shown.rs',
  'crates/gatehouse/src/supervisor/state.rs',
  'crates/guard/src/entrance/tokens.rs',
  'crates/guard/src/entrance/visitors.rs',
  'crates/guard/src/operators',
];

/** What begins a text for an operator. */
const MAKERS = /(?:Refusal::\w+|\.audit|\.failed)\(\s*(?:\w+,\s*)?(?:format!\(\s*)?"((?:[^"\\]|\\[^])*)"|#\[error\(\s*"((?:[^"\\]|\\[^])*)"|let (?:text|none) =\s*"((?:[^"\\]|\\[^])*)"/g;

/** Nobody reads these in the pages: their requests are never made there, or they stand for a text that is looked at by itself. */
const NOT_SHOWN = [/can not be done with/, /^the control API has no/, /^factory reset: /, /^not root: /, /^7: it can not serve/, /^7: this kernel/, /^7: it is there now/, /^could not roll back/, /^7(: 7)?$/, /^who signed in was not kept/, /^the (?:ban list|leases) w/, /^7 \(7\)$/, /^gave the user 7 7$/];

test('every refusal and every entry about operators in the sources of the box has German words', () => {
  const missing: string[] = [];
  let found = 0;
  for (const path of SOURCES.flatMap(rust)) {
    for (const [, ...texts] of read(path).matchAll(MAKERS)) {
      const text = sample(texts.find((one) => one !== undefined) ?? '');
      if (NOT_SHOWN.some((pattern) => pattern.test(text))) continue;
      found++;
      if (said(text, 'de').english) missing.push(`${path}: ${text}`);
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(found > 50, `only ${found} texts were found: are they made in another way now?`);
});

/** Where the box makes what it says by itself: notices in the log, why a process or a port is not there, what is wrong with certificates, why a CA gave none. */
const SPEAKERS = [
  'crates/certs/src/bundle',
  'crates/certs/src/bundle.rs',
  'crates/certs/src/challenge.rs',
  'crates/certs/src/check.rs',
  'crates/certs/src/clients',
  'crates/certs/src/error.rs',
  'crates/certs/src/plan.rs',
  'crates/gatehouse/src/supervisor',
  'crates/net/src/listen.rs',
  'crates/net/src/tls/trust.rs',
  'crates/proxy/src/core/access.rs',
  'crates/proxy/src/shell/health.rs',
  'crates/proxy/src/shell/listener.rs',
  'crates/proxy/src/shell/live.rs',
  'crates/proxy/src/shell/presented.rs',
  'crates/proxy/src/shell/worker.rs',
  'crates/store/src/error.rs',
  'crates/uplink/src/acme',
  'crates/uplink/src/dhcp/client.rs',
  'crates/uplink/src/dhcp/lease.rs',
];

/** What is a part of a text that is looked at as a whole, or never gets into an answer. */
const NOT_SAID = [
  // Parts.
  /^a day beyond/, /^this is on trial$/, /^this changes 7$/, /^a minute$/, /^7: confirm it within 7 with/, /^identity 7$/, /^certificate of line 7$/, /^role 7$/, /^another password$/, /^gave the user 7 7$/,
  /^without a router$/, /^router 7$/, /^nameserver 7$/, /^, $/,
  // Said with each of its parts.
  /^the CA refuses 7 /, /^what the CA sent is no 7: /,
  // For the terminal, the metrics and other processes.
  /^7 is banned: whatever it asks/, /^7 must be the number of/, /^7 lines are missing here/, /^process console$/, /^Offences /, /^Clients that are banned now/, / that are kept(, at most 10000)?\.$/, /uses this state directory/,
  // For who changes the sources.
  /^the proof lies out only while this lives$/,
];

/** What stands around a text that is only a part of what is said. */
const AROUND: readonly ((part: string) => string)[] = [
  (part) => part,
  (part) => `the CA refuses ${part} (status 7): 7`,
  (part) => `what the CA sent is no ${part}: 7; is the address that of an ACME directory?`,
];

test('every text that the box says by itself and the pages can show has German words', () => {
  const missing: string[] = [];
  let found = 0;
  for (const path of SPEAKERS.flatMap(rust)) {
    for (const literal of literals(read(path))) {
      const text = sample(literal);
      if (!/[a-z]+ [a-z]+|^[a-z]+ \S+$/.test(text) || NOT_SAID.some((pattern) => pattern.test(text))) continue;
      found++;
      if (AROUND.every((around) => said(around(text), 'de').english)) missing.push(`${path}: ${text}`);
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(found > 150, `only ${found} texts were found`);
});
