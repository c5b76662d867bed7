/** What everybody may do about themselves. */

import { useState } from 'preact/hooks';
import { call } from '../../api/client.ts';
import type { Session } from '../../api/shapes.ts';
import { useAction } from '../../box/action.ts';
import { tell } from '../../box/news.ts';
import { language, theme, type Language, type Theme } from '../../box/preferences.ts';
import { session } from '../../box/session.ts';
import { useStore } from '../../box/store.ts';
import { Field, Form, Switch } from '../../parts/form.tsx';
import { Card, Page } from '../../parts/page.tsx';
import { FailureNote } from '../../parts/said.tsx';
import { passwordFault } from '../../text/password.ts';
import { visible } from '../../text/visible.ts';
import { useWords } from '../../words/use.ts';
import { Sessions } from './sessions.tsx';
import { SecondFactor } from './totp.tsx';

export function AccountPage() {
  const { w, f } = useWords();
  const me = useStore(session);
  if (!me) return null;
  const lead = `${w.account.who(visible(me.user), w.roles[me.role])} ${w.account.until(f.moment(me.ends))}`;
  return (
    <Page title={w.account.title} lead={lead}>
      <div class="columns">
        <div class="stack">
          <Look />
          <Password me={me} />
        </div>
        <SecondFactor me={me} />
      </div>
      <Sessions title={w.account.sessions} />
    </Page>
  );
}

function Look() {
  const { w } = useWords();
  const languages: readonly Language[] = ['en', 'de'];
  const themes: readonly Theme[] = ['auto', 'light', 'dark'];
  return (
    <Card title={w.account.look}>
      <div class="column">
        <div class="field">
          <p class="label">{w.account.language}</p>
          <Switch label={w.account.language} value={useStore(language)} onValue={language.set} options={languages.map((name) => [name, w.languages[name]] as const)} />
        </div>
        <div class="field">
          <p class="label">{w.account.theme}</p>
          <Switch label={w.account.theme} value={useStore(theme)} onValue={theme.set} options={themes.map((name) => [name, w.account.themes[name]] as const)} />
        </div>
        <p class="hint">{w.account.lookHint}</p>
      </div>
    </Card>
  );
}

function Password({ me }: { me: Session }) {
  const { w } = useWords();
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [fault, setFault] = useState<'short' | 'differ' | null>(null);
  const action = useAction();
  const change = async () => {
    const wrong = passwordFault(next, again);
    setFault(wrong);
    if (wrong) return;
    await action.run(async () => {
      await call('PUT', '/session/password', { body: { old, new: next } });
      tell(w.account.changed);
      for (const empty of [setOld, setNext, setAgain]) empty('');
    });
  };
  return (
    <Card title={w.account.password}>
      <Form class="column" onSubmit={() => void change()}>
        {/* For the browser's own store of passwords. */}
        <input class="unseen" type="text" autocomplete="username" value={me.user} readOnly tabIndex={-1} aria-hidden="true" />
        <Field label={w.account.old} type="password" autocomplete="current-password" required value={old} onValue={setOld} />
        <Field label={w.account.new} hint={w.users.passwordHint} type="password" autocomplete="new-password" required value={next} onValue={setNext} fault={fault === 'short' ? w.users.short : null} />
        <Field label={w.account.again} type="password" autocomplete="new-password" required value={again} onValue={setAgain} fault={fault === 'differ' ? w.users.differ : null} />
        <div class="actions">
          <button type="submit" class="primary" disabled={action.busy}>
            {w.account.change}
          </button>
        </div>
      </Form>
      <FailureNote failure={action.failure} />
    </Card>
  );
}
