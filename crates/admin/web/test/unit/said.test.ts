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
    ['gatehouse.toml:9: admin.port: "8443" is not a port, leave the quotes out: 8443', 'gatehouse.toml:9: admin.port: "8443" ist kein Port, lassen Sie die Anführungszeichen weg: 8443'],
    ['3: dns.zones[1]: there is no zone "a, write it once", write `lan` or `wan`', '3: dns.zones[1]: es gibt keine Zone "a, write it once", schreiben Sie `lan` oder `wan`'],
    ['$2 stands for nothing: `match` has no parentheses', '$2 steht für nichts: `match` hat keine Klammern'],
    ['"^0(" is no regular expression: unclosed group', '"^0(" ist kein regulärer Ausdruck: eine Klammer ist nicht geschlossen'],
    ['this is no TOML: extra comma in array, expected value', 'das ist kein TOML: ein Komma zu viel in einer Liste'],
    ['line 4: turn.shared_secret: not checked that the box has the secret "turn"', 'Zeile 4: turn.shared_secret: nicht geprüft, ob das Gerät das Geheimnis "turn" hat'],
    ['certificate of line 5: can not read /etc/a.crt: No such file or directory (os error 2)', 'Zertifikat von Zeile 5: /etc/a.crt lässt sich nicht lesen: No such file or directory (os error 2)'],
    ['eth0: no address by DHCP any more: another host uses the address', 'eth0: keine Adresse per DHCP mehr: ein anderes Gerät benutzt die Adresse'],
    ['the CA refuses its directory; is the address right? (status 404): it does not say why', 'die CA verweigert ihr Verzeichnis; stimmt die Adresse? (Status 404): sie nennt keinen Grund'],
    ['name server [::1]:53: it does not take the update of example (code 7)', 'Nameserver [::1]:53: er nimmt die Änderung von example nicht an (Code 7)'],
    ['name server ns.example: it did not answer within 10 s', 'Nameserver ns.example: keine Antwort binnen 10 s'],
    ['access `staff`: the client certificate of "CN=\\"A\\" B" expired on 2026-01-02', 'Zugang `staff`: das Client-Zertifikat von "CN=\\"A\\" B" ist am 2026-01-02 abgelaufen'],
    ['it does not end; signal: 9 (SIGKILL)', 'er endet nicht; beendet durch Signal 9 (SIGKILL)'],
    ['failed sign-in as <b>: wrong password', 'Anmeldung als <b> gescheitert: falsches Passwort'],
  ] as const) {
    assert.deepEqual(said(text, 'de'), { text: german, english: false });
    assert.deepEqual(said(text, 'en'), { text, english: false });
  }
  assert.deepEqual(said('something new', 'de'), { text: 'something new', english: true });
});

test('why a CA gave no certificate is told in German, and what it wrote itself stays', () => {
  for (const [text, german] of [
    [
      'the CA at acme.example:14000: TLS failed: x; a CA of your own needs its root certificate given, and the clock must be right',
      'die CA unter acme.example:14000: TLS ist gescheitert: x; eine eigene CA braucht die Angabe ihres Wurzelzertifikats, und die Uhr muss stimmen',
    ],
    [
      'the CA could not fetch http://a.example/.well-known/acme-challenge/...: a.example: was revoked; expires within a day; port 80 of a.example must lead here from outside',
      'die CA konnte http://a.example/.well-known/acme-challenge/... nicht abrufen: a.example: was revoked; expires within a day; Port 80 von a.example muss von außen hierher führen',
    ],
    ['the CA refuses to look for the proof (status 400): leider nein', 'die CA weigert sich, den Nachweis zu suchen (Status 400): leider nein'],
    ['the CA has had enough requests for now: was not written: x', 'die CA hat vorerst genug Anfragen bekommen: was not written: x'],
  ] as const) {
    assert.equal(said(text, 'de').text, german);
    assert.equal(said(`was not issued: ${text}; next try at 2026-11-21T01:42:47Z`, 'de').text, `wurde nicht ausgestellt: ${german}; nächster Versuch um 2026-11-21T01:42:47Z`);
  }
});
