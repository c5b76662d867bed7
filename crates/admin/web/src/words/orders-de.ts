/** Zertifikate öffentlicher CAs: was bestellt ist, und warum eine CA keines gab. Was sie selbst schreibt, bleibt, wie es ist. */

import type { Pattern } from './said.ts';
import { alternatives } from './text-de.ts';

/** Was eine CA verweigert. */
const REFUSED: Record<string, string> = {
  'the account': 'das Konto',
  'the order': 'die Bestellung',
  'the authorization': 'die Autorisierung',
  'the certificate request': 'den Zertifikatsantrag',
  'the renewal information': 'die Angaben zur Erneuerung',
  'its directory; is the address right?': 'ihr Verzeichnis; stimmt die Adresse?',
};

/** Was eine CA nicht tun will. */
const UNDONE: Record<string, string> = {
  'to look for the proof': 'den Nachweis zu suchen',
  'to give out the certificate': 'das Zertifikat herauszugeben',
};

/** Was eine Antwort der CA nicht ist. */
const NONE: Record<string, string> = {
  directory: 'kein Verzeichnis',
  order: 'keine Bestellung',
  authorization: 'keine Autorisierung',
  'renewal information': 'keine Angabe zur Erneuerung',
};

/** Der Grund, den eine CA nennt, in ihren Worten. */
const theirs = (said: string) => (said === 'it does not say why' ? 'sie nennt keinen Grund' : said);

export const ORDERS: readonly Pattern[] = [
  // Zertifikate öffentlicher CAs.
  [/^has expired: clients refuse it$/, 'ist abgelaufen: Clients lehnen es ab'],
  [/^expires within a day$/, 'läuft binnen eines Tages ab'],
  [/^expires within (\d+) days$/, 'läuft binnen $1 Tagen ab'],
  [/^was not issued: (.*); next try at (.*)$/s, (tell, why, at) => `wurde nicht ausgestellt: ${tell(why)}; nächster Versuch um ${at}`],
  [/^what the CA sent can not be used: (.*)$/s, (tell, why) => `was die CA gesendet hat, ist nicht zu gebrauchen: ${tell(why)}`],
  [/^issued by (.*), good until (.*)$/s, 'ausgestellt von $1, gültig bis $2'],
  [/^the CA wants it renewed earlier than usual$/, 'die CA will es früher als sonst erneuert haben'],
  [/^the clock shows a time before this version was made$/, 'die Uhr zeigt eine Zeit, zu der es diese Version noch nicht gab'],
  [/^the clock shows a time before this version was made, so that .*$/s, 'die Uhr zeigt eine Zeit, zu der es diese Version noch nicht gab, so dass kein Zertifikat bestellt oder beurteilt wird; sorgen Sie dafür, dass das Gerät einen Zeitserver erreicht'],
  [/^nothing was heard of the order for two hours$/, 'von der Bestellung war zwei Stunden lang nichts zu hören'],
  [/^ordered from (.*)$/s, 'bestellt bei $1'],
  [/^its key is gone$/, 'sein Schlüssel ist weg'],
  [/^its chain is longer than (\d+) bytes$/, 'seine Kette ist länger als $1 Bytes'],
  [/^(.*) is damaged \((.*)\) and lies in (\S+); what was in it is ordered anew$/s, '$1 ist beschädigt ($2) und liegt in $3; was darin war, wird neu bestellt'],
  [/^\[certificate\.dns\] is missing$/, '[certificate.dns] fehlt'],
  [/^the secret `(.*)` is not in the store; set it with (`.*`)$/s, 'das Geheimnis `$1` fehlt; setzen Sie es mit $2 oder unter Geheimnisse'],
  [/^the secret `(.*)` is no text$/s, 'das Geheimnis `$1` ist kein Text'],
  // Was eine CA ablehnt.
  [/^it answers another question$/, 'er beantwortet eine andere Frage'],
  [/^it does not say why$/, 'sie nennt keinen Grund'],
  [/^the CAA records of (\S+) do not allow this CA: (.*); allow it there, or take another CA$/s, (_, name, why) => `die CAA-Einträge von ${name} erlauben diese CA nicht: ${theirs(why)}; erlauben Sie sie dort, oder nehmen Sie eine andere CA`],
  [/^the CAA records do not allow this CA: (.*); allow it there, or take another CA$/s, (_, why) => `die CAA-Einträge erlauben diese CA nicht: ${theirs(why)}; erlauben Sie sie dort, oder nehmen Sie eine andere CA`],
  [/^the CA failed to look for the proof of (\S+): (.*)$/s, (_, name, why) => `die CA konnte nach dem Nachweis für ${name} nicht suchen: ${theirs(why)}`],
  [/^the CA could not fetch (http:\S+): (.*); port 80 of (\S+) must lead here from outside$/s, (_, page, why, name) => `die CA konnte ${page} nicht abrufen: ${theirs(why)}; Port 80 von ${name} muss von außen hierher führen`],
  [/^the CA found no proof at (\S+): (.*); port 443 of (\S+) must lead here from outside, with nothing in between that ends TLS$/s, (_, place, why, name) => `die CA fand keinen Nachweis unter ${place}: ${theirs(why)}; Port 443 von ${name} muss von außen hierher führen, und nichts dazwischen darf TLS beenden`],
  [/^(the CA did not find the TXT record .*?); ((?:after \d+ minutes )?these name servers did not .*)$/s, (tell, why, others) => `${tell(why)}; ${tell(others)}`],
  [/^(after \d+ minutes these name servers did not .*?; have the primary notify them); (these .*)$/s, (tell, late, silent) => `${tell(late)}; ${tell(silent)}`],
  [/^after (\d+) minutes these name servers did not have it yet: (.*); have the primary notify them$/s, 'nach $1 Minuten hatten diese Nameserver ihn noch nicht: $2; lassen Sie den primären sie benachrichtigen (NOTIFY)'],
  [/^these name servers did not answer for the zone: (.*)$/s, 'diese Nameserver haben für die Zone nicht geantwortet: $1'],
  [/^waits (\d+) minutes at most for name servers that do not have the proof yet: (.*)$/s, 'wartet höchstens $1 Minuten auf Nameserver, die den Nachweis noch nicht haben: $2'],
  [/^the CA did not find the TXT record (\S+): (.*); the name servers of the zone must take it over from (.*)$/s, (_, record, why, server) => `die CA fand den TXT-Eintrag ${record} nicht: ${theirs(why)}; die Nameserver der Zone müssen ihn von ${server} übernehmen`],
  [/^the CA did not find the TXT record (\S+): (.*); it must be a CNAME of (\S+), and that zone be delegated to this gateway$/s, (_, record, why, target) => `die CA fand den TXT-Eintrag ${record} nicht: ${theirs(why)}; dort muss ein CNAME auf ${target} stehen, und dessen Zone muss an dieses Gateway delegiert sein`],
  [/^the CA has a fault of its own \(status (\d+)\): (.*)$/s, (_, status, why) => `die CA hat selbst eine Störung (Status ${status}): ${theirs(why)}`],
  [/^the CA has refused too many nonces of its own in a row; try again later$/, 'die CA hat zu viele ihrer eigenen Nonces hintereinander abgelehnt; versuchen Sie es später noch einmal'],
  [/^the CA takes only those who have an account with it already: (.*); give its key identifier and MAC key as the external account$/s, (_, why) => `die CA nimmt nur, wer schon ein Konto bei ihr hat: ${theirs(why)}; geben Sie dessen Schlüsselkennung und MAC-Schlüssel als externes Konto an`],
  [/^the CA takes only those who have an account with it already; give the key identifier and MAC key that it shows there as the external account$/, 'die CA nimmt nur, wer schon ein Konto bei ihr hat; geben Sie Schlüsselkennung und MAC-Schlüssel, die sie dort anzeigt, als externes Konto an'],
  [/^the CA wants the operator to do something first: (.*)$/s, (_, why) => `die CA verlangt, dass der Betreiber zuerst etwas tut: ${theirs(why)}`],
  [/^the CA does not take the contact: (.*); give another address$/s, (_, why) => `die CA nimmt die Kontaktadresse nicht an: ${theirs(why)}; geben Sie eine andere an`],
  [/^the CA gives no certificate for these names: (.*); a public CA takes public host names only$/s, (_, why) => `die CA gibt für diese Namen kein Zertifikat: ${theirs(why)}; eine öffentliche CA nimmt nur öffentliche Hostnamen`],
  [new RegExp(`^the CA refuses (${alternatives(REFUSED)}) \\(status (\\d+)\\): (.*)$`, 's'), (_, what, status, why) => `die CA verweigert ${REFUSED[what]} (Status ${status}): ${theirs(why)}`],
  [new RegExp(`^the CA refuses (${alternatives(UNDONE)}) \\(status (\\d+)\\): (.*)$`, 's'), (_, what, status, why) => `die CA weigert sich, ${UNDONE[what]} (Status ${status}): ${theirs(why)}`],
  [/^the CA has had enough requests for now: (.*)$/s, (_, why) => `die CA hat vorerst genug Anfragen bekommen: ${theirs(why)}`],
  // Was eine CA nicht anbietet, nicht sagt oder nicht fertig bringt.
  [/^the CA does not say what it calls the account \((.*)\)$/, 'die CA sagt nicht, wie sie das Konto nennt ($1)'],
  [/^the CA does not say what it calls the order \((.*)\)$/, 'die CA sagt nicht, wie sie die Bestellung nennt ($1)'],
  [/^the CA gives no nonce \(status (\d+); (.*)\)$/, 'die CA gibt keine Nonce (Status $1; $2)'],
  [/^the CA does not say when it wants certificates renewed$/, 'die CA sagt nicht, wann sie Zertifikate erneuert haben will'],
  [new RegExp(`^what the CA sent is no (${alternatives(NONE)}): (.*); is the address that of an ACME directory\\?$`, 's'), (_, what, why) => `was die CA gesendet hat, ist ${NONE[what]}: ${why}; ist die Adresse die eines ACME-Verzeichnisses?`],
  [/^the CA proves (\S+) by DNS only; choose dns-01 for it$/, 'die CA nimmt für $1 nur einen Nachweis per DNS; wählen Sie dafür dns-01'],
  [/^the CA does not take (\S+) for (\S+); choose one of: (.*)$/s, 'die CA nimmt $1 für $2 nicht an; wählen Sie eines von: $3'],
  [/^the CA gave a token for (\S+) that is none \((.*)\)$/, 'die CA gab für $1 ein Token, das keines ist ($2)'],
  [/^the window in which the CA wants the certificate renewed has no dates$/, 'der Zeitraum, in dem die CA das Zertifikat erneuert haben will, hat keine Daten'],
  [/^the window in which the CA wants the certificate renewed ends before it begins$/, 'der Zeitraum, in dem die CA das Zertifikat erneuert haben will, endet, bevor er beginnt'],
  [/^the CA has left the order where it was, though all that it asks for is done$/, 'die CA kommt mit der Bestellung nicht weiter, obwohl alles getan ist, was sie verlangt'],
  [/^the CA wants more than (\d+) proofs for one certificate$/, 'die CA verlangt mehr als $1 Nachweise für ein Zertifikat'],
  [/^the CA has not said within (\d+) minutes whether it found the proof of (\S+)$/, 'die CA hat binnen $1 Minuten nicht gesagt, ob sie den Nachweis für $2 gefunden hat'],
  [/^the CA has not made the certificate within (\d+) minutes$/, 'die CA hat das Zertifikat nicht binnen $1 Minuten ausgestellt'],
  [/^the CA has not come to an end with the order in (\d+) minutes$/, 'die CA ist mit der Bestellung binnen $1 Minuten nicht fertig geworden'],
  [/^the CA does not say where the certificate is$/, 'die CA sagt nicht, wo das Zertifikat liegt'],
  [/^what the CA gives out for a certificate is none$/, 'was die CA als Zertifikat herausgibt, ist keines'],
  [/^the CA did not answer in time$/, 'die CA hat nicht rechtzeitig geantwortet'],
  // Der Weg zu einer CA.
  [/^the CA at (\S+) did not answer within (\d+) s$/, 'die CA unter $1 hat nicht binnen $2 s geantwortet'],
  [/^the CA at (\S+): (.*)$/s, (tell, host, why) => `die CA unter ${host}: ${tell(why)}`],
  [/^it can not be reached: (.*); is the way out open\?$/s, 'nicht erreichbar: $1; ist der Weg nach außen offen?'],
  [/^it can not be reached: (.*)$/s, 'nicht erreichbar: $1'],
  [/^its name has no address: (.*); are the name servers right\?$/s, 'der Name hat keine Adresse: $1; stimmen die Nameserver?'],
  [/^its answer broke off: (.*)$/s, 'die Antwort ist abgebrochen: $1'],
  [/^this is no name of a TLS server$/, 'das ist kein Name eines TLS-Servers'],
  [/^TLS failed: (.*); a CA of your own needs its root certificate given, and the clock must be right$/s, 'TLS ist gescheitert: $1; eine eigene CA braucht die Angabe ihres Wurzelzertifikats, und die Uhr muss stimmen'],
  [/^("(?:[^"\\]|\\.)*"|\S+) is no https address of a CA$/s, '$1 ist keine https-Adresse einer CA'],
  [/^the root certificates for the CA: (.*)$/s, (tell, why) => `die Wurzelzertifikate für die CA: ${tell(why)}`],
  [/^no certificate in the PEM text$/, 'kein Zertifikat im PEM-Text'],
  [/^the PEM text can not be read: (.*)$/s, 'der PEM-Text lässt sich nicht lesen: $1'],
  [/^a certificate can not be used as an authority: (.*)$/s, 'ein Zertifikat ist nicht als CA zu gebrauchen: $1'],
  [/^the authorities can not be used: (.*)$/s, 'die CAs sind nicht zu gebrauchen: $1'],
  [/^no name can be resolved: (.*)$/s, 'kein Name lässt sich auflösen: $1'],
  // Was wir selbst nicht können.
  [/^it has failed for a fault of this software; please report it$/, 'es ist an einem Fehler dieser Software gescheitert; bitte melden Sie ihn'],
  [/^the account key is no P-256 key in PEM; remove it, and a new account is made with the CA$/, 'der Schlüssel des Kontos ist kein P-256-Schlüssel in PEM; entfernen Sie ihn, dann wird ein neues Konto bei der CA angelegt'],
  [/^the MAC key of the external account is not base64url; copy it from the CA as it is shown there$/, 'der MAC-Schlüssel des externen Kontos ist kein base64url; übernehmen Sie ihn von der CA, wie er dort steht'],
  [/^the system gives no randomness to sign with$/, 'das System gibt keine Zufallszahlen zum Unterschreiben'],
  [/^the system gives no randomness: (.*)$/s, 'das System gibt keine Zufallszahlen: $1'],
  [/^the proof of (\S+): (.*)$/s, (tell, name, why) => `der Nachweis für ${name}: ${tell(why)}`],
  [/^(\d+) proofs lie out already$/, 'es liegen schon $1 Nachweise aus'],
  // Nameserver, die Einträge von uns nehmen.
  [/^the secret of the TSIG key is not base64; copy it from the name server$/, 'das Geheimnis des TSIG-Schlüssels ist kein base64; übernehmen Sie es vom Nameserver'],
  [/^the name of the TSIG key: (.*)$/s, (tell, why) => `der Name des TSIG-Schlüssels: ${tell(why)}`],
  [/^name server (\S+): (.*)$/s, (tell, server, why) => `Nameserver ${server}: ${tell(why)}`],
  [/^(\d+) aliases lead away from (.*)$/s, '$1 Aliasnamen führen von $2 weiter'],
  [/^it has taken the record (\S+) and does not give it out; another server may be the primary$/, 'er hat den Eintrag $1 angenommen und gibt ihn nicht heraus; vielleicht ist ein anderer Server der primäre'],
  [/^it does not let this key change TXT records at (\S+); allow that there$/, 'er lässt diesen Schlüssel die TXT-Einträge von $1 nicht ändern; erlauben Sie das dort'],
  [/^it does not take the update of (\S*) \((.*)\)$/, (tell, zone, code) => `er nimmt die Änderung von ${zone} nicht an (${tell(code)})`],
  [/^it has no zone that (\S+) belongs to; name the primary of that zone$/, 'er hat keine Zone, zu der $1 gehört; nennen Sie den primären Nameserver dieser Zone'],
  [/^it broke off: (.*)$/s, 'die Verbindung ist abgerissen: $1'],
  [/^it refuses \((.*)\)$/, (tell, code) => `er lehnt ab (${tell(code)})`],
  [/^code (\d+)$/, 'Code $1'],
  [/^its answer is not signed by the key$/, 'seine Antwort ist nicht mit dem Schlüssel unterschrieben'],
  [/^the signature of its answer is wrong$/, 'die Unterschrift seiner Antwort ist falsch'],
  [/^it takes the signature for wrong; is the secret of the key the same on both sides\?$/, 'er hält die Unterschrift für falsch; ist das Geheimnis des Schlüssels auf beiden Seiten gleich?'],
  [/^it does not know the key; is its name the same on both sides, and its algorithm hmac-sha256\?$/, 'er kennt den Schlüssel nicht; ist dessen Name auf beiden Seiten gleich, und der Algorithmus hmac-sha256?'],
  [/^its clock differs by more than five minutes from ours$/, 'seine Uhr geht um mehr als fünf Minuten anders als unsere'],
  [/^it is no DNS name$/, 'kein DNS-Name'],
  [/^the answer is no DNS message$/, 'die Antwort ist keine DNS-Nachricht'],
  [/^the CA wants a proof of (\S+), which was not ordered$/, 'die CA verlangt einen Nachweis für $1, das nicht bestellt wurde'],
  [/^it is valid for longer than 398 days, which no public CA makes; one of your own is named with `directory_ca`$/, 'es gilt länger als 398 Tage, was keine öffentliche CA ausstellt; eine eigene wird mit `directory_ca` genannt'],
  [/^the file of `directory_ca` is longer than 64 KiB; it should hold the root of one CA only$/, 'die Datei von `directory_ca` ist länger als 64 KiB; sie soll nur die Wurzel der einen CA enthalten'],
  [/^the orders of certificates were not handed over: (.*)$/s, (tell, why) => `die Bestellungen von Zertifikaten wurden nicht übergeben: ${tell(why)}`],
];
