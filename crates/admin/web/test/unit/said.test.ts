import assert from 'node:assert/strict';
import { test } from 'node:test';
import { said } from '../../src/words/said.ts';

test('known texts of the box are told in German, others stay and are marked', () => {
  for (const [text, german] of [
    ['no path of the host matches', 'kein Pfad des Hosts passt'],
    ['target 10.0.0.2:443 can not be reached: refused', 'Ziel 10.0.0.2:443 ist nicht erreichbar: refused'],
    ['not allowed by access `<b>$1`', 'nicht erlaubt durch Zugang `<b>$1`'],
    ['path /a: does not match: a further "/" follows', 'Pfad /a: passt nicht, es folgt ein weiterer „/“'],
    ['rollback to 12', 'zurück auf 12'],
    ['failed sign-in as <b>: wrong password', 'Anmeldung als <b> gescheitert: falsches Passwort'],
  ] as const) {
    assert.deepEqual(said(text, 'de'), { text: german, english: false });
    assert.deepEqual(said(text, 'en'), { text, english: false });
  }
  assert.deepEqual(said('something new', 'de'), { text: 'something new', english: true });
});
