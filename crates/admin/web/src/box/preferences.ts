/** What this browser shall show: language and colours. Kept in the browser, the box knows nothing of it. */

import { store } from './store.ts';

export type Language = 'en' | 'de';
export type Theme = 'auto' | 'light' | 'dark';

const LANGUAGE = 'gatehouse-language';
const THEME = 'gatehouse-theme';

export const language = store<Language>(firstLanguage());
export const theme = store<Theme>(firstTheme());

/** Counts up whenever the colours on screen change, for what is drawn by script. */
export const colours = store(0);

/** Sets the page to what is preferred, and keeps it so. */
export function applyPreferences(): void {
  const root = document.documentElement;
  const repaint = () => colours.set(colours.get() + 1);
  const showLanguage = () => root.setAttribute('lang', language.get());
  const showTheme = () => {
    if (theme.get() === 'auto') root.removeAttribute('data-theme');
    else root.setAttribute('data-theme', theme.get());
    repaint();
  };
  showLanguage();
  showTheme();
  language.watch((value) => {
    keep(LANGUAGE, value);
    showLanguage();
  });
  theme.watch((value) => {
    keep(THEME, value);
    showTheme();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
}

function firstLanguage(): Language {
  const kept = readKept(LANGUAGE);
  const wanted = kept ? [kept] : navigator.languages;
  for (const tag of wanted) {
    if (/^de\b/i.test(tag)) return 'de';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

function firstTheme(): Theme {
  const kept = readKept(THEME);
  return kept === 'light' || kept === 'dark' ? kept : 'auto';
}

// A browser that keeps nothing throws at every access.
function readKept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Then it holds for this page alone.
  }
}
