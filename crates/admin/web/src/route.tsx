/** Which page is shown: the path of the address, and how to go to another. */

import type { ComponentChildren } from 'preact';
import { store, useStore } from './box/store.ts';

export interface Route {
  path: string;
  search: string;
  hash: string;
  /** Counts the moves; 0: as the browser came in. */
  moves: number;
}

export const route = store<Route>(here(0));

/** Follows the back and forward buttons. */
export function watchRoute(): void {
  const moved = () => route.set(here(route.get().moves + 1));
  addEventListener('popstate', moved);
}

/** Goes to a page of ours without loading it anew. */
export function navigate(href: string): void {
  if (href !== location.pathname + location.search + location.hash) history.pushState(null, '', href);
  route.set(here(route.get().moves + 1));
}

export function useRoute(): Route {
  return useStore(route);
}

interface LinkProps {
  href: string;
  class?: string | undefined;
  current?: boolean;
  label?: string | undefined;
  onGo?: () => void;
  children?: ComponentChildren;
}

/** A link to a page of ours; other buttons and keys do what they do elsewhere. */
export function Link({ href, class: name, current, label, onGo, children }: LinkProps) {
  const go = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
    onGo?.();
  };
  return (
    <a href={href} class={name} aria-current={current ? 'page' : undefined} aria-label={label} onClick={go}>
      {children}
    </a>
  );
}

function here(moves: number): Route {
  const { pathname, search, hash } = location;
  return { path: pathname, search, hash, moves };
}
