/** Passwords and keys that the configuration refers to: they can be set and removed, never read. */

import { useId, useState } from 'preact/hooks';
import { call } from '../../api/client.ts';
import { useAction } from '../../box/action.ts';
import { useLoad } from '../../box/load.ts';
import { tell } from '../../box/news.ts';
import { ask } from '../../parts/dialog.tsx';
import { Field, Form } from '../../parts/form.tsx';
import { Card } from '../../parts/page.tsx';
import { FailureNote, Foreign, Ready } from '../../parts/said.tsx';
import { Table, type Column } from '../../parts/table.tsx';
import { useWords } from '../../words/use.ts';

export function Secrets({ may }: { may: boolean }) {
  const { w } = useWords();
  const names = useLoad<string[]>('/secrets');
  const action = useAction();
  const remove = async (name: string) => {
    if (!(await ask(w.secrets.askRemove(name), w.secrets.askRemoveMore, w.do.remove, true))) return;
    await action.run(async () => {
      await call('DELETE', '/secrets', { query: { name } });
      tell(w.secrets.removed(name));
      await names.reload();
    });
  };
  const columns: Column<string>[] = [{ head: w.secrets.name, cell: (name) => <Foreign text={name} code /> }];
  if (may) {
    columns.push({
      head: w.do.remove,
      actions: true,
      cell: (name) => (
        <button type="button" aria-label={w.secrets.removeOne(name)} onClick={() => void remove(name)}>
          {w.do.remove}
        </button>
      ),
    });
  }
  return (
    <>
      {may && <SetSecret onSet={() => void names.reload()} />}
      <Card title={w.secrets.title}>
        <p class="hint">{w.secrets.lead}</p>
        <FailureNote failure={action.failure} />
        <Ready of={names}>{(data) => <Table caption={w.secrets.title} columns={columns} rows={data} id={(name) => name} empty={w.secrets.none} />}</Ready>
      </Card>
    </>
  );
}

function SetSecret({ onSet }: { onSet: () => void }) {
  const { w } = useWords();
  const id = useId();
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const action = useAction();
  const set = async () => {
    const done = await action.run(async () => {
      await call('PUT', '/secrets', { body: { name: name.trim(), value } });
      tell(w.secrets.kept(name.trim()));
    });
    if (!done) return;
    setName('');
    setValue('');
    onSet();
  };
  return (
    <Card title={w.secrets.set}>
      <Form class="column" onSubmit={() => void set()}>
        <Field label={w.secrets.name} hint={w.secrets.nameHint} code required most={200} value={name} onValue={setName} />
        <div class="field wide">
          <label for={id}>{w.secrets.value}</label>
          <textarea
            id={id}
            class="value"
            rows={4}
            required
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            aria-describedby={`${id}-hint`}
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
          <p class="hint" id={`${id}-hint`}>
            {w.secrets.valueHint}
          </p>
        </div>
        <button type="submit" class="primary" disabled={action.busy}>
          {w.secrets.doSet}
        </button>
      </Form>
      <FailureNote failure={action.failure} />
    </Card>
  );
}
