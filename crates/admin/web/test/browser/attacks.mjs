// What other sites and other browsers must not be able to do, tried in a real browser against the real box.

import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { CHROMIUM, login, settled } from './watch.mjs';
import { asked } from './plain.mjs';

const EN = { locale: 'en-GB', viewport: { width: 1280, height: 800 } };
const COOKIE = '__Host-gatehouse';

export const attacks = [
  { name: 'a page of another site changes nothing', context: EN, elsewhere: true, run: otherSite },
  { name: 'another name for the address of the box', context: EN, stranger: true, elsewhere: true, run: rebinding },
  { name: 'a session that somebody else has put into the browser', context: EN, stranger: true, run: fixation },
  { name: 'a port that cuts the browser off comes back by itself', context: EN, elsewhere: true, run: otherPort },
];

/** A form and three fetches of a page of somebody else, in a browser with a session. */
async function otherSite({ page, box, watch, context }) {
  const tried = [];
  const server = createServer((request, response) => {
    tried.push(request.url);
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>x</title><link rel="icon" href="data:,"><form method="post" action="${box.url}/rollback"><input name="generation" value="1"></form>`);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const site = `http://127.0.0.1:${server.address().port}/`;
  watch.expected.push('Failed to load resource', 'CORS policy', 'ERR_');
  const before = await asked(context, box, 'GET', '/generations');
  await page.goto(site);
  const told = await page.evaluate(async (url) => {
    const tell = (options) => fetch(`${url}/api/v1/rollback?generation=1`, { method: 'POST', credentials: 'include', ...options }).then((answer) => `${answer.type} ${answer.status}`, () => 'refused');
    return [await tell({ mode: 'no-cors' }), await tell({}), await tell({ headers: { 'content-type': 'application/json' } }), await fetch(`${url}/api/v1/config`, { credentials: 'include' }).then(() => 'read', () => 'refused')];
  }, box.url);
  watch.expect(told.every((one) => ['opaque 0', 'refused'].includes(one)), `another site was answered: ${told}`);
  await page.evaluate(() => document.forms[0].submit());
  await page.waitForURL(`${box.url}/rollback`);
  await page.waitForSelector('h1 >> text=403');
  const after = await asked(context, box, 'GET', '/generations');
  watch.expect(JSON.stringify(after) === JSON.stringify(before), 'a generation of another site is in force');
  server.close();
}

/** DNS that first says the attacker's address and then that of the box. */
async function rebinding({ box, watch }) {
  const { hostname, port } = new URL(box.url);
  const browser = await chromium.launch({ ...CHROMIUM, args: [...CHROMIUM.args, `--host-resolver-rules=MAP evil.example ${hostname}`] });
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const answer = await page.goto(`https://evil.example:${port}/`);
  watch.expect(answer.status() === 421, `the page of another name is answered with ${answer.status()}`);
  const status = await page.evaluate(() => fetch('/api/v1/claim').then((answer) => answer.status));
  watch.expect(status === 421, `the API under another name answers ${status}`);
  await browser.close();
}

/** The attacker knows the token that the browser has before the login: it is worth nothing afterwards. */
async function fixation({ page, box, watch, context }) {
  watch.expected.push('401');
  const other = await context.browser().newContext({ ignoreHTTPSErrors: true });
  const attacker = await other.newPage();
  await login(attacker, box, 'viewer');
  const known = await token(other);
  await context.addCookies([{ name: COOKIE, value: known, domain: new URL(box.url).hostname, path: '/', secure: true, httpOnly: true, sameSite: 'Strict' }]);
  // Signed in as somebody else; the operator signs in with the form all the same.
  await page.goto(`${box.url}/logout`);
  await page.evaluate(async ([user, password]) => {
    const body = new URLSearchParams({ user, password, then: '/' });
    await fetch('/login', { method: 'POST', body, redirect: 'manual' });
  }, [box.user, box.password]);
  const own = await token(context);
  watch.expect(own !== known && own.length > 20, 'the login keeps the token that was there');
  watch.expect((await asked(context, box, 'GET', '/session')).user === box.user, 'somebody else is signed in');
  const status = await attacker.evaluate(() => fetch('/api/v1/session').then((answer) => answer.status));
  watch.expect(status === 401, `the token of before is answered with ${status}`);
  await other.close();
}

async function token(context) {
  return (await context.cookies()).find(({ name }) => name === COOKIE)?.value ?? '';
}

/** Applied in the page; the browser is cut off, sees the clock and the way, and nobody confirms. */
async function otherPort({ page, box, watch, context }) {
  watch.expected.push('Failed to load resource', 'ERR_');
  const before = (await asked(context, box, 'GET', '/config')).generation;
  await page.goto(`${box.url}/config`);
  await settled(page);
  const area = page.locator('.editor textarea');
  await area.fill((await area.inputValue()).replace('port = 8443', 'port = 9443'));
  await page.click('.toolbar .primary');
  await page.waitForSelector('dialog a[href$=":9443/confirm"]');
  await page.selectOption('dialog select', '60');
  await page.click('dialog .primary');
  await page.waitForSelector('.banner.bad >> text=does not reach the box any more', { timeout: 30_000 });
  await page.waitForSelector('.banner.trial >> text=Rolled back in 0:');
  watch.expect((await page.locator('.banner.trial a[href$=":9443/confirm"]').count()) > 0, 'the banner has no link to the new port');
  await watch.look(page, 'cut off');
  if (box.shots) await page.screenshot({ path: `${box.shots}/cut-off.png` });
  // Under the other port it is the same session.
  const moved = await context.newPage();
  await moved.goto(box.url.replace(':8443', ':9443') + '/confirm');
  await moved.waitForSelector('form[action="/confirm"] button');
  await moved.close();
  await page.waitForSelector('.banner', { state: 'detached', timeout: 90_000 });
  const after = (await asked(context, box, 'GET', '/config')).generation;
  watch.expect(after === before, `generation ${after} is in force, not ${before}`);
}
