/** Who is logged in, and what the role allows. */

import { call, onSessionEnd } from '../api/client.ts';
import type { Role, Session } from '../api/shapes.ts';
import { store } from './store.ts';

export const session = store<Session | null>(null);

const RANKS: Role[] = ['viewer', 'operator', 'admin'];

/** Whether `has` may do what is for `needed`. */
export function allows(has: Role | undefined, needed: Role): boolean {
  return has !== undefined && RANKS.indexOf(has) >= RANKS.indexOf(needed);
}

/** Reads the session anew. */
export async function loadSession(): Promise<void> {
  session.set(await call<Session>('GET', '/session'));
}

/** Leads to the login, once, and from there back to here. */
export function leadToLogin(): void {
  let leaving = false;
  onSessionEnd(() => {
    if (leaving) return;
    leaving = true;
    const here = location.pathname + location.search + location.hash;
    location.assign(`/login?then=${encodeURIComponent(here)}`);
  });
}
