/** The second factor: set up, switch off, recovery codes. */

import { useState } from 'preact/hooks';
import { call } from '../../api/client.ts';
import type { Session, TotpOffer } from '../../api/shapes.ts';
import { useAction } from '../../box/action.ts';
import { tell } from '../../box/news.ts';
import { loadSession } from '../../box/session.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Field, Form, useCopied } from '../../parts/form.tsx';
import { Card } from '../../parts/page.tsx';
import { Badge, FailureNote } from '../../parts/said.tsx';
import { useWords } from '../../words/use.ts';
import { QrPicture } from './qr-picture.tsx';

export function SecondFactor({ me }: { me: Session }) {
  const { w } = useWords();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [offer, setOffer] = useState<TotpOffer | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const action = useAction();
  const begin = () =>
    action.run(async () => {
      setOffer(await call<TotpOffer>('POST', '/session/totp', { body: { password } }));
      setPassword('');
    });
  const turnOff = () =>
    action.run(async () => {
      await call('DELETE', '/session/totp', { body: { password, code: code.replace(/\s/g, '') } });
      setPassword('');
      setCode('');
      tell(w.account.isOff, 'note');
      await loadSession();
    });
  const isOn = async (made: string[]) => {
    setOffer(null);
    setCodes(made);
    tell(w.account.isOn);
    await loadSession();
  };
  return (
    <Card title={w.account.totp}>
      <p>
        <Badge tone={me.totp ? 'good' : 'plain'}>{me.totp ? w.users.on : w.users.off}</Badge> {me.totp ? w.account.totpOn : w.account.totpOff}
      </p>
      {!me.totp && <p class="hint">{w.account.totpLead}</p>}
      {offer ? (
        <Offer offer={offer} onCancel={() => setOffer(null)} onDone={(made) => void isOn(made)} />
      ) : (
        <Form class="column" onSubmit={() => void (me.totp ? turnOff() : begin())}>
          <Field label={w.account.confirmPassword} type="password" autocomplete="current-password" required value={password} onValue={setPassword} />
          {me.totp && (
            <Field label={w.account.code} hint={w.account.codeOrRecovery} code autocomplete="one-time-code" required most={32} value={code} onValue={setCode} />
          )}
          <div class="actions">
            <button type="submit" class={me.totp ? 'danger' : 'primary'} disabled={action.busy}>
              {me.totp ? w.account.turnOff : w.account.begin}
            </button>
          </div>
          <FailureNote failure={action.failure} />
        </Form>
      )}
      {codes && <Codes codes={codes} onClose={() => setCodes(null)} />}
    </Card>
  );
}

function Offer({ offer, onCancel, onDone }: { offer: TotpOffer; onCancel: () => void; onDone: (codes: string[]) => void }) {
  const { w } = useWords();
  const [code, setCode] = useState('');
  const action = useAction();
  const [copied, copy] = useCopied();
  const turnOn = () =>
    action.run(async () => {
      const { codes } = await call<{ codes: string[] }>('PUT', '/session/totp', { body: { code: code.replace(/\s/g, '') } });
      onDone(codes);
    });
  return (
    <div class="column">
      <h3>{w.account.scan}</h3>
      <QrPicture text={offer.uri} label={w.account.scanAlt} />
      <p>{w.account.orType}</p>
      <p class="secret">
        <code translate={false}>{offer.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
        <button type="button" onClick={() => copy(offer.secret)}>
          {copied ? w.do.copied : w.do.copy}
        </button>
      </p>
      {copied === false && <p class="fault">{w.do.copyFailed}</p>}
      <h3>{w.account.enter}</h3>
      <Form class="column" onSubmit={() => void turnOn()}>
        <Field label={w.account.code} hint={w.account.clockHint} code numeric autocomplete="one-time-code" required most={12} value={code} onValue={setCode} />
        <div class="actions">
          <button type="button" onClick={onCancel}>
            {w.do.cancel}
          </button>
          <button type="submit" class="primary" disabled={action.busy}>
            {w.account.turnOn}
          </button>
        </div>
      </Form>
      <FailureNote failure={action.failure} />
    </div>
  );
}

function Codes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const { w } = useWords();
  const [copied, copy] = useCopied();
  const actions = (
    <>
      <button type="button" onClick={() => print()}>
        {w.do.print}
      </button>
      <button type="button" onClick={() => copy(codes.join('\n'))}>
        {copied ? w.do.copied : w.do.copy}
      </button>
    </>
  );
  return (
    <Dialog title={w.account.recovery} onClose={onClose} done={w.account.recoveryDone} actions={actions}>
      <p>{w.account.recoveryLead}</p>
      <ul class="codes" translate={false}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      {copied === false && <p class="fault">{w.do.copyFailed}</p>}
    </Dialog>
  );
}
