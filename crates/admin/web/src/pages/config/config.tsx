/** The configuration: its text, its history, and what follows from it. */

import { useEffect, useState } from 'preact/hooks';
import type { ConfigText } from '../../api/shapes.ts';
import { draft } from '../../box/draft.ts';
import { useLoad } from '../../box/load.ts';
import { allows, session } from '../../box/session.ts';
import { seen } from '../../box/status.ts';
import { useStore } from '../../box/store.ts';
import { Switch } from '../../parts/form.tsx';
import { Page } from '../../parts/page.tsx';
import { Ready } from '../../parts/said.tsx';
import { useRoute } from '../../route.tsx';
import { useWords } from '../../words/use.ts';
import { Derived } from './derived.tsx';
import { History } from './history.tsx';
import { Secrets } from './secrets.tsx';
import { TextTab } from './text.tsx';

type Tab = 'text' | 'history' | 'tables' | 'secrets';

export function ConfigPage() {
  const { w } = useWords();
  const { hash } = useRoute();
  const [tab, setTab] = useState<Tab>(hash === '#history' ? 'history' : 'text');
  const may = allows(useStore(session)?.role, 'operator');
  const config = useLoad<ConfigText>('/config');
  const inForce = useStore(seen).status?.generation.number;
  const { data, reload } = config;

  // Somebody else applied something, or a trial has ended.
  useEffect(() => {
    if (data && inForce !== undefined && data.generation !== inForce) void reload();
  }, [inForce, data?.generation]);
  useEffect(() => {
    if (/^#L\d/.test(hash)) setTab('text');
  }, [hash]);

  const edit = (text: string) => {
    if (data) draft.set({ base: data.generation, text });
    setTab('text');
  };
  const tabs = (
    <Switch
      label={w.config.title}
      value={tab}
      onValue={setTab}
      options={[['text', w.config.tabs.text], ['history', w.config.tabs.history], ['tables', w.config.tabs.tables], ['secrets', w.config.tabs.secrets]]}
    />
  );
  return (
    <Page title={w.config.title} lead={data ? w.config.inForce(data.generation) : undefined} actions={tabs}>
      <Ready of={config}>
        {(current) => (
          <>
            {tab === 'text' && <TextTab current={current} may={may} reload={reload} />}
            {tab === 'history' && <History current={current} may={may} onEdit={edit} />}
            {tab === 'tables' && <Derived />}
            {tab === 'secrets' && <Secrets may={may} />}
          </>
        )}
      </Ready>
    </Page>
  );
}
