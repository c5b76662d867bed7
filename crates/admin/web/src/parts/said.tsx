/** Small parts that several pages show. */

import type { ComponentChildren } from 'preact';
import type { Failure } from '../api/client.ts';
import type { Loaded } from '../box/load.ts';
import { away } from '../box/status.ts';
import { useStore } from '../box/store.ts';
import { Link } from '../route.tsx';
import { visible } from '../text/visible.ts';
import { told } from '../words/failure.ts';
import { said } from '../words/said.ts';
import { useWords } from '../words/use.ts';

/** A text of the box: in the reader's language where it is a known one, else marked as English. */
export function Said({ text }: { text: string }) {
  const { language } = useWords();
  const { text: shown, english } = said(visible(text), language);
  return english ? <span lang="en">{shown}</span> : <>{shown}</>;
}

/** Several of them, such as faults, one a line. */
export function SaidLines({ text }: { text: string }) {
  const lines = text.trimEnd().split('\n').slice(0, 100);
  if (lines.length === 1) return <Said text={text.trimEnd()} />;
  return (
    <ul>
      {lines.map((line, index) => (
        <li key={index}>
          <Said text={line} />
        </li>
      ))}
    </ul>
  );
}

export function FailureNote({ failure }: { failure: Failure | null }) {
  const { w, f } = useWords();
  if (!failure) return null;
  const { text, said: more } = told(failure, w, f);
  return (
    <div class="note bad" role="alert">
      <p>{text}</p>
      {more !== undefined && <SaidLines text={more} />}
    </div>
  );
}

/** What is loaded, or what there is to say before. */
export function Ready<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  const { w, f } = useWords();
  const outOfReach = useStore(away) !== null;
  if (of.data !== null) {
    return (
      <>
        {of.failure && !outOfReach && (
          <div class="note warn" role="status">
            <p>{w.fail.old}</p>
            <p>{told(of.failure, w, f).text}</p>
          </div>
        )}
        {children(of.data)}
      </>
    );
  }
  if (of.failure) return <FailureNote failure={of.failure} />;
  return <p class="empty">{w.do.loading}</p>;
}

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

export function Badge({ tone, children }: { tone: Tone; children?: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** A line of the configuration, as a link to it. */
export function LineLink({ line, shown }: { line: number | null | undefined; shown?: string }) {
  const { w } = useWords();
  if (line === null || line === undefined) return null;
  return (
    <Link href={`/config#L${line}`} class="line-link" label={shown === undefined ? w.do.lineLong(line) : `${w.do.lineLong(line)}: ${shown}`}>
      {shown ?? w.do.line(line)}
    </Link>
  );
}

/** Text that somebody outside chose. */
export function Foreign({ text, code }: { text: string; code?: boolean }) {
  const shown = visible(text);
  return code ? (
    <code dir="ltr" translate={false}>
      {shown}
    </code>
  ) : (
    <bdi translate={false}>{shown}</bdi>
  );
}
