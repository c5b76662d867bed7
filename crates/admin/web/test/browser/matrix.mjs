// Every page, and what can be opened on it without changing anything.

import { join } from 'node:path';
import { settled } from './watch.mjs';

/** Pixels of a picture: what is below repeats itself. */
const HIGHEST = 2400;

/** Further looks at a page; each leaves it so that the next one can begin. */
const PAGES = [
  ['overview', '/', [['table', (page) => page.click('details summary')]]],
  ['log', '/log', [['filtered', filterLog]]],
  ['hosts', '/hosts', []],
  ['explain', '/explain', [['answer', explain], ['refusal', explainWrongly]]],
  ['bans', '/bans', [['question', askToLift]]],
  ['config', '/config#L12', [['faults', makeFaults], ['history', (page) => tab(page, 2)], ['derived', (page) => tab(page, 3)], ['secrets', (page) => tab(page, 4)]]],
  ['users', '/users', [['dialog', changeUser]]],
  ['account', '/account', []],
];

export const everyPage = ['en', 'de'].flatMap((language) =>
  ['light', 'dark'].flatMap((colours) =>
    [360, 1280].map((width) => ({
      name: `every page ${language} ${colours} ${width}`,
      context: { locale: language === 'de' ? 'de-DE' : 'en-GB', colorScheme: colours, viewport: { width, height: 800 } },
      run: (all) => run(all, `${language}-${colours}-${width}`),
    })),
  ),
);

/** The longer language where there is least room; the light colours are looked at in the widths between. */
export const someVariants = everyPage.filter(({ name }) => / de dark 360$/.test(name));

/** Widths between the two: nothing may be cut there either, and nothing when a window is made narrower or wider. */
const WIDTHS = [320, 480, 640, 768, 900, 1024, 1280, 1600];

export const otherWidths = PAGES.map(([name, path, more]) => ({
  name: `other widths ${name}`,
  context: { locale: 'de-DE', colorScheme: 'light', viewport: { width: WIDTHS[0], height: 800 } },
  async run({ page, box, watch }) {
    await page.goto(box.url + path);
    for (const [part, open] of [['', async () => {}], ...more]) {
      await open(page, watch);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        await settled(page);
        await watch.lookForClipped(page, `${name} ${part} ${width}`);
      }
      await watch.look(page, `${name} ${part}`);
      await page.setViewportSize({ width: WIDTHS[0], height: 800 });
      await page.keyboard.press('Escape');
    }
  },
}));

async function run({ page, box, watch }, variant) {
  for (const [name, path, more] of PAGES) {
    const started = Date.now();
    await page.goto(box.url + path);
    await settled(page);
    await look(page, box, watch, name, variant);
    for (const [part, open] of more) {
      await open(page, watch);
      await settled(page);
      await look(page, box, watch, `${name}-${part}`, variant);
      await page.keyboard.press('Escape');
    }
    await page.evaluate(() => sessionStorage.clear());
    if (process.env.TIMES) console.log(name, Date.now() - started);
  }
}

async function look(page, box, watch, name, variant) {
  await watch.look(page, name);
  if (!box.shots) return;
  await page.evaluate(() => scrollTo(0, 0));
  const { width } = page.viewportSize();
  const height = Math.min(HIGHEST, await page.evaluate(() => document.documentElement.scrollHeight));
  await page.screenshot({ path: join(box.shots, `${name}-${variant}.png`), fullPage: true, clip: { x: 0, y: 0, width, height } });
}

async function filterLog(page) {
  await page.fill('.filters input', 'no path');
  await page.selectOption('.filters select >> nth=1', 'rejected');
}

async function explain(page) {
  await page.fill('form.row input', 'https://hq.dvl-ckl2.net/PBX0/APPS');
  await page.click('form.row button');
  await page.waitForSelector('.state');
}

async function explainWrongly(page, watch) {
  // The browser itself tells the console of it.
  watch.expected.push('422');
  await page.fill('form.row input', 'nonsense');
  await page.click('form.row button');
  await page.waitForSelector('.note.bad');
}

async function askToLift(page) {
  const lift = page.locator('.row-actions button').first();
  if ((await lift.count()) > 0) await lift.click();
}

async function makeFaults(page) {
  const text = page.locator('.editor textarea');
  await text.fill(`fault = 1\n${await text.inputValue()}\n  fault_that_has_a_long_name = 2\n`);
  await page.keyboard.press('Control+s');
  await page.waitForSelector('.faults');
}

async function tab(page, number) {
  await page.click(`.page-head .switch button:nth-child(${number})`);
  await page.waitForSelector('table');
}

async function changeUser(page) {
  await page.click('.row-actions button');
  await page.waitForSelector('dialog');
}
