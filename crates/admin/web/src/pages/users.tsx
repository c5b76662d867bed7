/** Who may use these pages. */

import { useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { Role, User } from '../api/shapes.ts';
import { useAction } from '../box/action.ts';
import { useLoad } from '../box/load.ts';
import { tell } from '../box/news.ts';
import { allows, session } from '../box/session.ts';
import { useStore } from '../box/store.ts';
import { Dialog, ask } from '../parts/dialog.tsx';
import { Choice, Field, Form } from '../parts/form.tsx';
import { Card, Page } from '../parts/page.tsx';
import { Badge, FailureNote, Foreign, Ready } from '../parts/said.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { passwordFault } from '../text/password.ts';
import { useWords } from '../words/use.ts';
import { Sessions } from './account/sessions.tsx';

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

export function UsersPage() {
  const { w } = useWords();
  const me = useStore(session);
  if (!allows(me?.role, 'admin')) {
    return (
      <Page title={w.users.title}>
        <p class="note">{w.users.adminOnly}</p>
      </Page>
    );
  }
  return <Users me={me?.user ?? ''} />;
}

function Users({ me }: { me: string }) {
  const { w } = useWords();
  const users = useLoad<User[]>('/users');
  const action = useAction();
  const [changing, setChanging] = useState<User | null>(null);
  const remove = async ({ name }: User) => {
    if (!(await ask(w.users.askRemove(name), w.users.askRemoveMore, w.do.remove, true))) return;
    await action.run(async () => {
      await call('DELETE', '/users', { query: { name } });
      tell(w.users.removed(name));
      await users.reload();
    });
  };
  return (
    <Page title={w.users.title} lead={w.users.lead}>
      <FailureNote failure={action.failure} />
      <Card title={w.users.title}>
        <Ready of={users}>
          {(data) => <UserTable users={data} me={me} onChange={setChanging} onRemove={(user) => void remove(user)} />}
        </Ready>
      </Card>
      <AddUser onAdded={() => void users.reload()} />
      <Sessions title={w.users.sessions} lead={w.users.sessionsLead} all />
      {changing && (
        <ChangeUser
          user={changing}
          onClose={() => setChanging(null)}
          onChanged={() => {
            setChanging(null);
            void users.reload();
          }}
        />
      )}
    </Page>
  );
}

interface UserTableProps {
  users: User[];
  me: string;
  onChange: (user: User) => void;
  onRemove: (user: User) => void;
}

function UserTable({ users, me, onChange, onRemove }: UserTableProps) {
  const { w, f } = useWords();
  const columns: Column<User>[] = [
    {
      head: w.users.name,
      cell: (user) => (
        <>
          <Foreign text={user.name} /> {user.name === me && <Badge tone="plain">{w.users.you}</Badge>}
        </>
      ),
    },
    { head: w.users.role, cell: (user) => w.roles[user.role] },
    {
      head: w.users.totp,
      cell: (user) =>
        user.totp ? (
          <>
            <Badge tone="good">{w.users.on}</Badge> <span class="hint">{w.users.codesLeft(user.recovery_codes_left)}</span>
          </>
        ) : (
          <Badge tone="plain">{w.users.off}</Badge>
        ),
    },
    { head: w.users.lastLogin, cell: (user) => (user.last_login ? <time dateTime={user.last_login}>{f.moment(user.last_login)}</time> : w.users.never) },
    { head: w.users.created, cell: (user) => <time dateTime={user.created}>{f.day(user.created)}</time> },
    {
      head: w.users.change,
      actions: true,
      cell: (user) => (
        <>
          <button type="button" aria-label={w.users.changeOne(user.name)} onClick={() => onChange(user)}>
            {w.users.change}
          </button>
          {user.name !== me && (
            <button type="button" aria-label={w.users.removeOne(user.name)} onClick={() => onRemove(user)}>
              {w.do.remove}
            </button>
          )}
        </>
      ),
    },
  ];
  return <Table caption={w.users.title} columns={columns} rows={users} id={(user) => user.name} />;
}

function AddUser({ onAdded }: { onAdded: () => void }) {
  const { w } = useWords();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [fault, setFault] = useState<'short' | 'differ' | null>(null);
  const action = useAction();
  const add = async () => {
    const wrong = passwordFault(password, again);
    setFault(wrong);
    if (wrong) return;
    const done = await action.run(async () => {
      const user = await call<User>('POST', '/users', { body: { name: name.trim(), role, password } });
      tell(w.users.added(user.name));
    });
    if (!done) return;
    for (const empty of [setName, setPassword, setAgain]) empty('');
    onAdded();
  };
  return (
    <Card title={w.users.add}>
      <Form class="row" onSubmit={() => void add()}>
        <Field label={w.users.name} hint={w.users.nameHint} required most={64} value={name} onValue={setName} />
        <RoleChoice role={role} onRole={setRole} />
        <Field label={w.users.password} hint={w.users.passwordHint} type="password" autocomplete="new-password" required value={password} onValue={setPassword} fault={fault === 'short' ? w.users.short : null} />
        <Field label={w.users.repeat} type="password" autocomplete="new-password" required value={again} onValue={setAgain} fault={fault === 'differ' ? w.users.differ : null} />
        <button type="submit" class="primary" disabled={action.busy}>
          {w.do.add}
        </button>
      </Form>
      <FailureNote failure={action.failure} />
    </Card>
  );
}

function RoleChoice({ role, onRole }: { role: Role; onRole: (role: Role) => void }) {
  const { w } = useWords();
  return <Choice label={w.users.role} hint={w.roleMeaning[role]} value={role} onValue={onRole} options={ROLES.map((role) => [role, w.roles[role]] as const)} />;
}

function ChangeUser({ user, onClose, onChanged }: { user: User; onClose: () => void; onChanged: () => void }) {
  const { w } = useWords();
  const [role, setRole] = useState(user.role);
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [fault, setFault] = useState<'short' | 'differ' | null>(null);
  const action = useAction();
  const { name } = user;
  const save = async () => {
    const wrong = password === '' && again === '' ? null : passwordFault(password, again);
    setFault(wrong);
    if (wrong) return;
    const body = { ...(role === user.role ? {} : { role }), ...(password === '' ? {} : { password }) };
    const done = await action.run(async () => {
      if (Object.keys(body).length > 0) await call('PATCH', '/users', { query: { name }, body });
      tell(w.users.changed(name));
    });
    if (done) onChanged();
  };
  const totpOff = async () => {
    if (!(await ask(w.users.askTotp(name), w.users.askTotpMore, w.users.totpOff, true))) return;
    const done = await action.run(async () => {
      await call('DELETE', '/users/totp', { query: { name } });
      tell(w.users.totpIsOff(name));
    });
    if (done) onChanged();
  };
  const button = (
    <button type="button" class="primary" disabled={action.busy} onClick={() => void save()}>
      {w.do.save}
    </button>
  );
  return (
    <Dialog title={w.users.changeOne(name)} onClose={onClose} actions={button}>
      <Form class="column" onSubmit={() => void save()}>
        <RoleChoice role={role} onRole={setRole} />
        <Field label={w.users.newPassword} hint={`${w.users.passwordHint}; ${w.users.keepEmpty}`} type="password" autocomplete="new-password" value={password} onValue={setPassword} fault={fault === 'short' ? w.users.short : null} />
        <Field label={w.users.repeat} type="password" autocomplete="new-password" value={again} onValue={setAgain} fault={fault === 'differ' ? w.users.differ : null} />
      </Form>
      {user.totp && (
        <p>
          <button type="button" class="danger" disabled={action.busy} onClick={() => void totpOff()}>
            {w.users.totpOff}
          </button>
        </p>
      )}
      <FailureNote failure={action.failure} />
    </Dialog>
  );
}
