/** All pages and what stands around them. */

import { Component, type ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Failure } from './api/client.ts';
import { loadSession, session } from './box/session.ts';
import { returns } from './box/status.ts';
import { useStore } from './box/store.ts';
import { AccountPage } from './pages/account/account.tsx';
import { BansPage } from './pages/bans.tsx';
import { ConfigPage } from './pages/config/config.tsx';
import { ExplainPage } from './pages/explain.tsx';
import { HostsPage } from './pages/hosts.tsx';
import { LogPage } from './pages/log/log.tsx';
import { OverviewPage } from './pages/overview/overview.tsx';
import { UsersPage } from './pages/users.tsx';
import { Questions } from './parts/dialog.tsx';
import { Page } from './parts/page.tsx';
import { FailureNote } from './parts/said.tsx';
import { Link, useRoute } from './route.tsx';
import { Banners, News } from './shell/banners.tsx';
import { Nav } from './shell/nav.tsx';
import { useWords, words } from './words/use.ts';

const PAGES: { [path: string]: () => ComponentChildren } = {
  '/': () => <OverviewPage />,
  '/log': () => <LogPage />,
  '/hosts': () => <HostsPage />,
  '/explain': () => <ExplainPage />,
  '/bans': () => <BansPage />,
  '/config': () => <ConfigPage />,
  '/users': () => <UsersPage />,
  '/account': () => <AccountPage />,
};

export function App() {
  const { w } = useWords();
  const { path } = useRoute();
  const draw = PAGES[path] ?? (() => <NoPage />);
  return (
    <>
      <a class="skip" href="#content">
        {w.skip}
      </a>
      <div class="frame">
        <Nav path={path} />
        <main id="content" tabIndex={-1}>
          <Banners />
          <News />
          <Caught key={path}>
            <WithSession>{draw()}</WithSession>
          </Caught>
        </main>
      </div>
      <Questions />
    </>
  );
}

/** Pages are drawn once it is known who looks at them. */
function WithSession({ children }: { children: ComponentChildren }) {
  const { w } = useWords();
  const known = useStore(session);
  const back = useStore(returns);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    if (known) return;
    setFailure(null);
    loadSession().catch((error: unknown) => {
      if (error instanceof Failure && error.status !== 401) setFailure(error);
    });
  }, [known, back]);
  if (known) return <>{children}</>;
  if (failure) return <FailureNote failure={failure} />;
  return <p class="empty">{w.fail.wait}</p>;
}

function NoPage() {
  const { w } = useWords();
  return (
    <Page title={w.fail.noPage}>
      <p>
        <Link href="/">{w.fail.toOverview}</Link>
      </p>
    </Page>
  );
}

/** Keeps the frame standing where a page has a fault of its own. */
class Caught extends Component<{ children: ComponentChildren }, { caught: boolean }> {
  override state = { caught: false };

  static override getDerivedStateFromError() {
    return { caught: true };
  }

  override render() {
    if (this.state.caught) {
      return (
        <p class="note bad" role="alert">
          {words().w.fail.lost}
        </p>
      );
    }
    return this.props.children;
  }
}
