/** Zertifikate, die hinein- und hinausgehen: Gründe von Abweisungen und was davon aufgeschrieben wird. */

import type { Pattern } from './said.ts';

export const PAPERS: readonly Pattern[] = [
  [/^there is no certificate of (.*); `gatehouse certificate list` shows all$/s, 'für $1 gibt es kein Zertifikat; `gatehouse certificate list` zeigt alle'],
  [/^the passphrase has to have (\d+) characters at least, and (\d+) bytes at most$/, 'die Passphrase muss mindestens $1 Zeichen und darf höchstens $2 Bytes haben'],
  [/^exported the certificate of (.*) without its key$/s, 'hat das Zertifikat von $1 ohne Schlüssel exportiert'],
  [/^exported the certificate of (.*) with its key$/s, 'hat das Zertifikat von $1 mit Schlüssel exportiert'],
];
