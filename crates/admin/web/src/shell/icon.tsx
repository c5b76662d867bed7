/** Pictures beside words; they say nothing of their own. */

const PATHS = {
  overview: 'M3 12h4v9H3zM10 3h4v18h-4zM17 8h4v13h-4z',
  log: 'M4 5h16M4 10h16M4 15h10M4 20h13',
  hosts: 'M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01',
  explain: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 18h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
  bans: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M5.6 5.6l12.8 12.8',
  config: 'M8 4c-3 0-2 3-2 5s-2 3-2 3 2 1 2 3-1 5 2 5M16 4c3 0 2 3 2 5s2 3 2 3-2 1-2 3 1 5-2 5',
  users: 'M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M3 20c0-4 3-5 6-5s6 1 6 5M16 5.5a3.5 3.5 0 0 1 0 6M18 15c2 .6 3 2 3 5',
  account: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M5 21c0-5 3-6 7-6s7 1 7 6',
  menu: 'M4 6h16M4 12h16M4 18h16',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
