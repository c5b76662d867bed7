/** Zertifikate, die Clients zeigen: welchen CAs von Clients vertraut wird, und warum ein Client nicht eingelassen wird. */

import type { Pattern, Tell } from './said.ts';

/** Was an einem Zertifikat nicht gut ist, als Satzteil nach ihm. */
const judged = (tell: Tell, why: string) => {
  const [, day] = /^expired on (\S+)$/.exec(why) ?? [];
  return day === undefined ? tell(why) : `ist am ${day} abgelaufen`;
};

export const CLIENTS: readonly Pattern[] = [
  // Warum ein Client nicht eingelassen wird.
  [/^access `([^`]*)`: (.*)$/s, (tell, name, why) => `Zugang \`${name}\`: ${tell(why)}`],
  [/^needs a client certificate, which can be shown over TLS only$/, 'verlangt ein Client-Zertifikat, das sich nur über TLS zeigen lässt'],
  [/^needs a client certificate, and the TLS connection was made for a name that asks for none, or for those of others$/, 'verlangt ein Client-Zertifikat, und die TLS-Verbindung galt einem Namen, der keines oder das von anderen verlangt'],
  [/^needs a client certificate, and none was shown$/, 'verlangt ein Client-Zertifikat, und es wurde keines gezeigt'],
  [/^the client certificate is not asked for under this name$/, 'das Client-Zertifikat wird unter diesem Namen nicht verlangt'],
  [/^the client certificate is believed; its names: (.*)$/s, 'dem Client-Zertifikat wird vertraut; seine Namen: $1'],
  [/^the client certificate of ("(?:[^"\\]|\\.)*"|\S+) has none of its `names`$/s, 'das Client-Zertifikat von $1 hat keinen Namen aus `names`'],
  [/^the client certificate of ("(?:[^"\\]|\\.)*"|\S+) (.*)$/s, (tell, subject, why) => `das Client-Zertifikat von ${subject} ${judged(tell, why)}`],
  [/^the client certificate (.*)$/s, (tell, why) => `das Client-Zertifikat ${judged(tell, why)}`],
  [/^is not from a trusted authority, but from (.*)$/s, 'stammt nicht von einer CA, der vertraut wird, sondern von $1'],
  [/^is not valid before (\S+); is the clock right\?$/, 'gilt nicht vor $1; stimmt die Uhr?'],
  [/^is from the authority (.*), which is valid from (\S+) to (\S+) only$/s, 'stammt von der CA $1, die nur von $2 bis $3 gilt'],
  [/^was revoked$/, 'wurde widerrufen'],
  [/^was not made for clients \(no clientAuth\)$/, 'wurde nicht für Clients gemacht (ohne clientAuth)'],
  [/^is one that the box shows of itself; `(.*)` makes those for clients$/, 'ist eines, das die Box von sich selbst zeigt; `$1` stellt solche für Clients aus'],
  [/^can not be judged: the list of revoked certificates expired on (\S+)$/, 'lässt sich nicht beurteilen: die Sperrliste ist am $1 abgelaufen'],
  [/^can not be used: (.*)$/s, (tell, why) => `ist nicht zu gebrauchen: ${tell(why)}`],
  [/^its authority is not known$/, 'seine CA ist nicht bekannt'],
  // Erklären.
  [/^over TLS, a client certificate is asked for, from (.*)$/s, 'über TLS wird ein Client-Zertifikat verlangt, von $1'],
  [/^access (\S+) lets in who shows a trusted client certificate; here, none is$/, 'Zugang $1 lässt ein, wer ein Client-Zertifikat zeigt, dem vertraut wird; hier gibt es keines'],
  [/^access (\S+) lets in who shows a client certificate for (.*); here, none is$/s, 'Zugang $1 lässt ein, wer ein Client-Zertifikat für $2 zeigt; hier gibt es keines'],
  [/^access (\S+) lets in who is signed in; here, nobody is$/, 'Zugang $1 lässt ein, wer angemeldet ist; hier ist es niemand'],
  [/^access (\S+) lets in who is signed in and is in one of (.*); here, nobody is$/s, 'Zugang $1 lässt ein, wer angemeldet ist und zu einer der Gruppen $2 gehört; hier ist es niemand'],
  [/^paths below (\S+) are those of our login page$/, 'Pfade unter $1 sind die unserer Anmeldeseite'],
  // Welchen CAs vertraut wird.
  [/^client certificates are refused: (.*)$/s, (tell, why) => `Client-Zertifikate werden abgelehnt: ${tell(why)}`],
  [/^(.*): the authority (.*) expired on (\S+), and its client certificates are refused$/s, '$1: die CA $2 ist am $3 abgelaufen, und ihre Client-Zertifikate werden abgelehnt'],
  [/^(.*): the authority (.*) expires on (\S+), and its client certificates are refused then; add the one that follows it$/s, '$1: die CA $2 läuft am $3 ab, und ihre Client-Zertifikate werden dann abgelehnt; ergänzen Sie die nächste'],
  [/^(.*): the list of revoked certificates expired on (\S+), and (.*); fetch the next one$/s, (tell, file, day, effect) => `${file}: die Sperrliste ist am ${day} abgelaufen, und ${tell(effect)}; holen Sie die nächste`],
  [/^client certificates of its authority are refused$/, 'Client-Zertifikate ihrer CA werden abgelehnt'],
  [/^who was revoked since is not known$/, 'wer seither widerrufen wurde, ist nicht bekannt'],
  [/^holds no certificate; a PEM file with the certificate of the authority is needed$/, 'enthält kein Zertifikat; nötig ist eine PEM-Datei mit dem Zertifikat der CA'],
  [/^holds no list of revoked certificates; a PEM file with (`.*`) is needed \((`.*`)\)$/, 'enthält keine Sperrliste; nötig ist eine PEM-Datei mit $1 ($2)'],
  [/^certificate (\d+) can not be read: (.*)$/s, 'das Zertifikat $1 lässt sich nicht lesen: $2'],
  [/^certificate (\d+) \((.*)\) is not that of an authority; give the certificate that signs those of the clients$/s, 'das Zertifikat $1 ($2) ist nicht das einer CA; geben Sie das Zertifikat an, das die der Clients unterschreibt'],
  [/^list (\d+) can not be used: (.*)$/s, (tell, number, why) => `die Sperrliste ${number} ist nicht zu gebrauchen: ${tell(why)}`],
  [/^list (\d+) bears the name of (.*), but was not signed by it$/s, 'die Sperrliste $1 trägt den Namen von $2, ist aber nicht von dort unterschrieben'],
  [/^more than (\d+) of them; give only what clients here need$/, 'mehr als $1 davon; geben Sie nur an, was Clients hier brauchen'],
  [/^it does not say until when it holds \(nextUpdate\)$/, 'sie sagt nicht, bis wann sie gilt (nextUpdate)'],
  [/^it is of version 1; set `crlnumber` in the configuration of `openssl ca`$/, 'sie ist von Version 1; setzen Sie `crlnumber` in der Konfiguration von `openssl ca`'],
  // Was der Proxy von TLS nicht in Betrieb nehmen kann.
  [/^line (\d+): trusted_clients: (.*)$/s, (tell, line, why) => `Zeile ${line}: trusted_clients: ${tell(why)}`],
  [/^line (\d+): the file (.*) is not at hand$/s, 'Zeile $1: die Datei $2 liegt nicht vor'],
  [/^line (\d+): (.*) can not be a TLS server name$/s, 'Zeile $1: $2 kann kein TLS-Servername sein'],
  [/^line (\d+): (\S*: )?((?:no certificate in the PEM text|the PEM text can not be read|a certificate can not be used as an authority|the authorities can not be used).*)$/s, (tell, line, file = '', why = '') => `Zeile ${line}: ${file}${tell(why)}`],
  [/^its TLS settings are not known$/, 'seine Einstellungen für TLS sind nicht bekannt'],
  [/^its trusted_clients are not known$/, 'seine trusted_clients sind nicht bekannt'],
  [/^(\S+): the file is not at hand$/, '$1: die Datei liegt nicht vor'],
  [/^it says that it covers a part of the certificates only \(issuingDistributionPoint\), .*$/s, 'sie erfasst nach eigener Angabe nur einen Teil der Zertifikate (issuingDistributionPoint), und wer in den anderen gesperrt ist, käme herein; verlangen Sie von der CA ihre vollständige Liste ohne diese Erweiterung'],
  [/^comes with more certificates than any chain needs$/, 'kommt mit mehr Zertifikaten, als eine Kette braucht'],
];
