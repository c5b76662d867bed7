/** Was an den Angaben zu einem LDAP-Server falsch ist, und was richtig wäre. */

import type { Pattern } from './said.ts';

export const LDAP_WHAT: readonly Pattern[] = [
  [/^has no meaning for ldaps:\/\/, which is TLS from the start$/, 'hat bei ldaps://, das von Anfang an TLS ist, keine Bedeutung'],
  [/^has no meaning for ldaps:\/\/$/, 'hat bei ldaps:// keine Bedeutung'],
  [/^says the opposite of start_tls$/, 'sagt das Gegenteil von start_tls'],
  [/^would send every password in clear, for whoever listens on the way$/, 'würde jedes Passwort im Klartext senden, für jeden, der unterwegs mithört'],
  [/^has no meaning without TLS$/, 'hat ohne TLS keine Bedeutung'],
  [/^would hand every password to whoever answers in the server's place$/, 'gäbe jedes Passwort dem, der an Stelle des Servers antwortet'],
  [/^does not say how a user is found$/, 'sagt nicht, wie ein Benutzer gefunden wird'],
  [/^has no meaning without (`\w+`)$/, 'hat ohne $1 keine Bedeutung'],
  [/^is a second way to find a user: with `bind` he searches himself$/, 'ist ein zweiter Weg, einen Benutzer zu finden: mit `bind` sucht er selbst'],
  [/^has no password$/, 'hat kein Passwort'],
  [/^belongs to no account$/, 'gehört zu keinem Konto'],
  [/^is true of the same groups for every user$/, 'trifft für jeden Benutzer auf dieselben Gruppen zu'],
  [/^is no name of an entry$/, 'ist kein Name eines Eintrags'],
  [/^(.*) is no name of an attribute$/s, '$1 ist kein Name eines Attributs'],
  [/^(.*) is no filter$/s, '$1 ist kein Filter'],
];

export const LDAP_REMEDY: readonly Pattern[] = [
  [
    /^write ldaps:\/\/, or add start_tls = true; if the server knows no TLS at all, clear_text_passwords = true$/,
    'schreiben Sie ldaps://, oder dazu start_tls = true; kann der Server gar kein TLS, clear_text_passwords = true',
  ],
  [/^remove it, or clear_text_passwords$/, 'entfernen Sie es oder clear_text_passwords'],
  [/^remove it, or `bind`$/, 'entfernen Sie es oder `bind`'],
  [/^write (\{ ca = "[^"]*" \}) or (\{ sha256 = "[^"]*" \})$/, 'schreiben Sie $1 oder $2'],
  [
    /^write (bind = "[^"]*"), where all names are alike, or (search = "[^"]*"), and `user` and `password` of an account that may search$/,
    'schreiben Sie $1, wo alle Namen gleich gebaut sind, oder $2, und `user` und `password` eines Kontos, das suchen darf',
  ],
  [/^remove it, or write below which entry is searched, such as (.*)$/, 'entfernen Sie es oder schreiben Sie, unter welchem Eintrag gesucht wird, etwa $1'],
  [/^remove it, or write below which entry groups are, such as (.*)$/, 'entfernen Sie es oder schreiben Sie, unter welchem Eintrag Gruppen stehen, etwa $1'],
  [/^write whose it is, such as (.*)$/, 'schreiben Sie, wessen es ist, etwa $1'],
  [
    /^write \{dn\}, the name of his entry, or \{user\}, what he typed, for example (.*)$/,
    'schreiben Sie {dn}, den Namen seines Eintrags, oder {user}, was er eingab, zum Beispiel $1',
  ],
  [/^write letters, digits and "-", a letter first, such as (".*")$/, 'schreiben Sie Buchstaben, Ziffern und „-“, zuerst einen Buchstaben, etwa $1'],
  [/^write for example (".*") or (".*")$/, 'schreiben Sie zum Beispiel $1 oder $2'],
];
