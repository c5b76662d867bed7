// The pages that work without script, in a browser that runs none; the box itself writes them, so that they are looked at there only.

import { join } from 'node:path';
import { withoutScripts } from './scripts.mjs';

const MATRIX = ['en', 'de'].flatMap((language) => ['light', 'dark'].flatMap((colours) => [360, 1280].map((width) => ({ language, colours, width }))));

/** What can be done without script. */
const WAYS = ['/confirm', '/rollback', '/logout'];

/** One test for each language, colour and width. */
function inAll(title, run) {
  return MATRIX.map(({ language, colours, width }, index) => ({
    name: `${title} ${language} ${colours} ${width}`,
    stranger: true,
    context: { locale: language === 'de' ? 'de-DE' : 'en-GB', colorScheme: colours, viewport: { width, height: 800 } },
    async run({ page, box, watch, context }) {
      const scripts = await withoutScripts(page);
      const look = async (name) => {
        await page.waitForSelector('h1');
        if (new URL(page.url()).pathname === '/') {
          // Without script the app is one page in both languages, in a <noscript>, which axe does not look into.
          const ways = await page.locator('main h1 ~ p a:visible').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
          watch.expect(String(ways) === String([...WAYS, ...WAYS]), `${name}: leads to ${ways}`);
        } else {
          watch.expect((await page.getAttribute('html', 'lang')) === language, `${name}: not in ${language}`);
          await scripts(() => watch.look(page, name));
        }
        if (box.shots) await page.screenshot({ path: join(box.shots, `plain-${name}-${language}-${colours}-${width}.png`), fullPage: true });
      };
      const open = async (path, name = path) => {
        await page.goto(`${box.url}/${path}`);
        await look(name);
      };
      await run({ page, box, watch, context, look, open, last: index === MATRIX.length - 1 });
    },
  }));
}

export const plainPages = inAll('plain pages', async (all) => {
  const { page, box, watch, look, open } = all;
  await open('login');
  // A wrong password, then the right one, with the keyboard alone.
  await page.goto(`${box.url}/login?then=/confirm`);
  watch.expected.push('401');
  await fill(page, ['user', box.user], ['password', 'not the password']);
  await page.waitForSelector('[role=alert]');
  await look('login-refused');
  await fill(page, ['user', box.user], ['password', box.password]);
  await page.waitForURL(`${box.url}/confirm`);
  await look('confirm-nothing');
  await open('', 'noscript');
  await trials(all);
  await open('logout');
  await press(page, 'button');
  await page.waitForURL(`${box.url}/login`);
});

/** Keeps a trial, goes back to an earlier generation, gives a trial up, and comes too late. */
async function trials({ page, box, watch, context, look, open }) {
  const kept = await begin(context, box);
  await open('confirm', 'confirm');
  await press(page, 'form[action="/confirm"] button');
  await page.waitForSelector('[role=status]');
  await look('confirmed');
  watch.expect((await page.innerText('dl')).includes(String(kept)), 'another generation is kept');
  await open('rollback', 'rollback');
  await page.focus('[type=radio]');
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=status]');
  await look('rolled-back');
  const before = await inForce(context, box);
  await begin(context, box);
  await open('confirm', 'confirm-again');
  await press(page, 'form[action="/rollback"] button');
  await page.waitForSelector('[role=status]');
  await look('given-up');
  watch.expect((await inForce(context, box)) === before, 'the trial is not given up');
  // The page is open while the trial ends elsewhere.
  const late = await begin(context, box);
  await page.goto(`${box.url}/confirm`);
  await asked(context, box, 'POST', `/rollback?trial=${late}`);
  watch.expected.push('409');
  await press(page, 'form[action="/rollback"] button');
  await page.waitForSelector('[role=alert]');
  await look('too-late');
  watch.expect((await inForce(context, box)) === before, 'a generation that nobody meant is in force');
}

/** A box that nobody has claimed, up to its first account. */
export function claimPages(code) {
  return inAll('claim', async ({ page, box, watch, look, open, last }) => {
    const fields = (again) => [['code', code], ['user', box.user], ['password', box.password], ['again', again]];
    await page.goto(box.url);
    await page.waitForURL(`${box.url}/claim`);
    await open('claim');
    watch.expected.push('422');
    await fill(page, ...fields('another password'));
    await page.waitForSelector('[role=alert]');
    await look('claim-differs');
    if (!last) return;
    watch.expected.push('401');
    await fill(page, ['code', 'AAAA-AAAA-AAAA'], ...fields(box.password).slice(1));
    await page.waitForSelector('[role=alert]');
    await look('claim-wrong-code');
    await fill(page, ['code', code], ['user', box.user], ['password', 'short'], ['again', 'short']);
    await page.waitForSelector('[role=alert]');
    await look('claim-short');
    watch.expect(!/password is too short/.test(await page.innerText('[role=alert]')), 'the refusal is not in German');
    await fill(page, ...fields(box.password));
    await page.waitForURL(`${box.url}/`);
    await look('claimed');
  });
}

/** Types into one field after another, with the keyboard alone, and sends the form. */
async function fill(page, ...fields) {
  await page.focus(`[name=${fields[0][0]}]`);
  for (const [index, [name, text]] of fields.entries()) {
    if (index > 0) await page.keyboard.press('Tab');
    if ((await page.locator(`[name=${name}]:focus`).count()) !== 1) throw new Error(`Tab does not lead to ${name}`);
    await page.keyboard.press('Control+a');
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await page.waitForLoadState('load');
}

async function press(page, selector) {
  await page.focus(selector);
  await page.keyboard.press('Enter');
}

/** Asks the API in the session of this browser. */
export async function asked(context, box, method, path, body) {
  const headers = { origin: new URL(box.url).origin, 'content-type': 'application/json' };
  const answer = await context.request.fetch(`${box.url}/api/v1${path}`, { method, headers, data: body === undefined ? undefined : JSON.stringify(body), ignoreHTTPSErrors: true });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

async function inForce(context, box) {
  return (await asked(context, box, 'GET', '/config')).generation;
}

/** Puts another text on trial, in this session; the generation that it is. */
async function begin(context, box) {
  const { generation, text } = await asked(context, box, 'GET', '/config');
  const other = `${text}\n# ${generation} ${Date.now()}\n`;
  const applied = await asked(context, box, 'POST', '/apply', { text: other, base: generation, trial_seconds: 600 });
  return applied.generation.number;
}
