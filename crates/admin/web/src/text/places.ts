/** Where the admin pages will be, of what the box says and what this browser calls the box. */

/** The addresses for links: what the box names, and the name in use with a port that it has not now. */
export function places(pages: readonly string[], here: { hostname: string; host: string }): string[] {
  const told = pages.map((page) => new URL(page));
  // Names of the box lead to it under every port; its addresses the box knows by itself.
  const isName = /[a-z]/i.test(here.hostname) && !here.hostname.includes(':');
  const named = told.map(({ port }) => (port === '' ? here.hostname : `${here.hostname}:${port}`)).filter((host) => host !== here.host);
  return [...new Set([...(isName ? named : []), ...told.map(({ host }) => host)])];
}

/** Whether this browser has its session there, too: its cookie holds for the host, whatever the port. */
export function keepsSession(place: string, hostname: string): boolean {
  return new URL(`https://${place}`).hostname === hostname;
}
