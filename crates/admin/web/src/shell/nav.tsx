/** The way to all pages, and who is logged in. */

import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import { draft } from '../box/draft.ts';
import { allows, session } from '../box/session.ts';
import { seen } from '../box/status.ts';
import { useStore } from '../box/store.ts';
import { Link } from '../route.tsx';
import { visible } from '../text/visible.ts';
import { useWords } from '../words/use.ts';
import { Icon, type IconName } from './icon.tsx';

const PAGES = [
  ['/', 'overview'],
  ['/log', 'log'],
  ['/hosts', 'hosts'],
  ['/explain', 'explain'],
  ['/bans', 'bans'],
  ['/config', 'config'],
  ['/users', 'users'],
  ['/account', 'account'],
] as const satisfies readonly (readonly [string, IconName])[];

export function Nav({ path }: { path: string }) {
  const { w } = useWords();
  const [open, setOpen] = useState(false);
  const who = useStore(session);
  const status = useStore(seen).status;
  const shown = PAGES.filter(([, name]) => name !== 'users' || allows(who?.role, 'admin'));
  useEffect(() => {
    const escape = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setOpen(false);
    };
    addEventListener('keydown', escape);
    return () => removeEventListener('keydown', escape);
  }, []);
  return (
    <header class={`side ${open ? 'open' : ''}`}>
      <div class="brand">
        <Mark />
        <p>
          <b translate={false}>{visible(status?.hostname ?? 'Gatehouse')}</b>
          <span>Gatehouse{status ? ` ${status.version}` : ''}</span>
        </p>
        <button type="button" class="menu" aria-expanded={open} aria-controls="pages" onClick={() => setOpen(!open)}>
          <Icon name="menu" /> {w.nav.menu}
        </button>
      </div>
      <div class="side-rest" id="pages">
        <nav aria-label={w.nav.label}>
          <ul>
            {shown.map(([href, name]) => (
              <li key={href}>
                <Link href={href} current={href === path} onGo={() => setOpen(false)}>
                  <Icon name={name} />
                  {w.nav[name]}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div class="whoami">
          {who && <p translate={false}>{w.nav.who(visible(who.user), w.roles[who.role])}</p>}
          <a href="/logout" onClick={(event) => void logout(event)}>
            {w.nav.logout}
          </a>
        </div>
      </div>
    </header>
  );
}

/** Ends the session; where that fails, the page without script does it. */
async function logout(event: MouseEvent): Promise<void> {
  event.preventDefault();
  draft.set(null);
  try {
    await call('DELETE', '/session');
    location.assign('/login');
  } catch {
    location.assign('/logout');
  }
}

/** A gate between two towers. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M3 6h3v3h3V6h3v8h8V6h3v3h3V6h3v22h-9v-6a4 4 0 0 0-8 0v6H3z" fill="currentColor" />
    </svg>
  );
}
