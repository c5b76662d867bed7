/** What would happen to a request, and why. */

import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { ExplainedDecision, Explanation } from '../api/shapes.ts';
import { useAction } from '../box/action.ts';
import { Field, Form } from '../parts/form.tsx';
import { Card, Page } from '../parts/page.tsx';
import { Badge, FailureNote, Foreign, LineLink, Said, type Tone } from '../parts/said.tsx';
import { Table } from '../parts/table.tsx';
import { useRoute } from '../route.tsx';
import { useWords } from '../words/use.ts';

const TONES: { [decision in ExplainedDecision['decision']]: Tone } = { forward: 'good', redirect: 'warn', refuse: 'bad' };

export function ExplainPage() {
  const { w } = useWords();
  const { search } = useRoute();
  const asked = new URLSearchParams(search);
  const [url, setUrl] = useState(asked.get('url') ?? '');
  const [from, setFrom] = useState(asked.get('from') ?? '');
  const [explanation, setExplanation] = useState<Explanation | null>(null);
  const action = useAction();

  const explain = () =>
    action.run(async () => {
      const query = { url: url.trim(), from: from.trim() };
      setExplanation(await call<Explanation>('GET', '/explain', { query }));
      const address = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
      history.replaceState(null, '', `/explain?${address.toString()}`);
    });
  useEffect(() => {
    if (url !== '') void explain();
  }, []);

  return (
    <Page title={w.explain.title} lead={w.explain.lead}>
      <Card title={w.explain.request}>
        <Form class="row first-wide" onSubmit={() => void explain()}>
          <Field label={w.explain.url} hint={w.explain.urlHint} code required most={8000} value={url} onValue={setUrl} />
          <Field label={w.explain.from} hint={w.explain.fromHint} code value={from} onValue={setFrom} />
          <button type="submit" class="primary" disabled={action.busy}>
            {w.explain.go}
          </button>
        </Form>
        <FailureNote failure={action.failure} />
      </Card>
      <div aria-live="polite">{explanation && !action.failure && <Answer explanation={explanation} />}</div>
    </Page>
  );
}

function Answer({ explanation: { decision, text } }: { explanation: Explanation }) {
  const { w } = useWords();
  return (
    <>
      <section class={`state ${TONES[decision.decision]}`}>
        <h2>
          {w.explain[decision.decision]} {decision.target && <>{w.explain.to} <Foreign text={decision.target} code /></>}
          {decision.status !== null && <> ({decision.status})</>}
        </h2>
        {decision.reason !== '' && (
          <p>
            <Said text={decision.reason} />
          </p>
        )}
        {decision.line !== null && (
          <p>
            {w.explain.rule} <LineLink line={decision.line} />
          </p>
        )}
      </section>
      <Steps decision={decision} />
      {decision.headers.length > 0 && (
        <Card title={w.explain.headers}>
          <Table
            caption={w.explain.headers}
            rows={decision.headers}
            id={([name], index) => `${name} ${index}`}
            columns={[
              { head: w.explain.field, tight: true, cell: ([name]) => <code>{name}</code> },
              { head: w.explain.value, cell: ([, value]) => <Foreign text={value} code /> },
            ]}
          />
        </Card>
      )}
      <details>
        <summary>{w.explain.text}</summary>
        <pre class="plain" lang="en" tabIndex={0}>
          {text}
        </pre>
      </details>
    </>
  );
}

function Steps({ decision }: { decision: ExplainedDecision }) {
  const { w } = useWords();
  const notes = decision.notes ?? [];
  return (
    <Card title={w.explain.steps}>
      <ol class="steps">
        {decision.steps.map((step, index) => (
          <li key={index}>
            <Said text={step.text} /> <LineLink line={step.line} />
          </li>
        ))}
        <li>
          <Badge tone={TONES[decision.decision]}>{w.explain[decision.decision]}</Badge>
        </li>
      </ol>
      {notes.length > 0 && (
        <>
          <h3>{w.explain.notes}</h3>
          <ul>
            {notes.map((note, index) => (
              <li key={index}>
                <Said text={note} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}
