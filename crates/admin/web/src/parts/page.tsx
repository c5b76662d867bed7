/** The frame of a page: its heading gets the focus when the operator comes here. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { news } from '../box/news.ts';
import { seen } from '../box/status.ts';
import { useStore } from '../box/store.ts';
import { route } from '../route.tsx';

interface PageProps {
  title: string;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  children?: ComponentChildren;
}

export function Page({ title, lead, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const hostname = useStore(seen).status?.hostname ?? 'Gatehouse';
  useEffect(() => {
    if (route.get().moves === 0) return;
    news.set([]);
    // A line of the configuration takes the focus itself.
    if (!/^#L\d/.test(route.get().hash)) heading.current?.focus();
    scrollTo(0, 0);
  }, []);
  useEffect(() => {
    document.title = `${title} · ${hostname}`;
  }, [title, hostname]);
  return (
    <>
      <header class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

interface CardProps {
  title: string;
  actions?: ComponentChildren;
  class?: string;
  children?: ComponentChildren;
}

/** A part of a page under a heading of its own. */
export function Card({ title, actions, class: name, children }: CardProps) {
  return (
    <section class={`card ${name ?? ''}`}>
      <div class="card-head">
        <h2>{title}</h2>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}
