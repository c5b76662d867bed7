// The log: live, much of it, from strangers.

import { readFileSync } from 'node:fs';
import { settled } from './watch.mjs';

const EN = { locale: 'en-GB', viewport: { width: 1280, height: 900 } };

export const logFlows = [
  { name: 'log: comes by itself, is held and goes on', context: EN, run: live },
  { name: 'log: a refusal is explained', context: { locale: 'en-GB', viewport: { width: 1280, height: 900 } }, run: explained },
  { name: 'log: nothing is lost when the connection breaks', context: EN, run: resumed },
  { name: 'log: a thousand records a second', context: EN, alone: true, run: many },
  { name: 'log: saved as text and as JSON lines', context: EN, run: saved },
  { name: 'log: what strangers write stays text', context: EN, run: strangers },
];

async function open(page, box) {
  await page.goto(`${box.url}/log`);
  await settled(page);
  await page.waitForSelector('.record');
}

const newest = (page) => page.locator('.record time').first().getAttribute('datetime');

async function live({ page, box, watch }) {
  await open(page, box);
  const first = await newest(page);
  await page.waitForFunction((first) => document.querySelector('.record time').dateTime > first, first);
  await page.click('text=Pause');
  const held = await newest(page);
  await page.waitForSelector('text=new records wait');
  watch.expect((await newest(page)) === held, 'the list moves while it is held');
  await page.click('text=Go on');
  await page.waitForFunction((held) => document.querySelector('.record time').dateTime > held, held);
  // At one moment: the list moves.
  const client = await page.locator('.record .client').first().evaluate((button) => {
    button.click();
    return button.textContent;
  });
  const bare = client.replace(/[[\]]/g, '');
  watch.expect((await page.inputValue('.filters input >> nth=1')) === bare, 'a client that is clicked is not the filter');
  // The filter takes what an address begins with.
  await page.waitForFunction((bare) => [...document.querySelectorAll('.record .client')].every((button) => button.textContent.replace('[', '').startsWith(bare)), bare);
  await page.click('text=Clear the filter');
  await page.locator('.record a[href^="/config#L"]').first().click();
  await page.waitForURL(/\/config#L\d+$/);
}

/** What was refused is asked again, and a line is marked once the configuration is another one. */
async function explained({ page, box, watch }) {
  await open(page, box);
  await page.click('text=Pause');
  await page.selectOption('.filters select >> nth=1', 'rejected');
  const link = page.locator('.record a[href^="/explain?"]').first();
  watch.expect(/^Explain https?:/.test(await link.getAttribute('aria-label')), 'the link does not say what it explains');
  await link.click();
  await page.waitForSelector('.state');
  await open(page, box);
  await page.waitForSelector('.badge >> text=live');
  const { id } = box.mock.log.at(-1);
  box.mock.push({ event: 'config', generation: box.mock.inForce, change: 'applied' }, Date.now());
  await page.waitForFunction((id) => [...document.querySelectorAll('.record a[href^="/config#L"]')].some((a) => a.textContent.endsWith('of then')), id);
  await watch.look(page, 'lines of then');
}

async function resumed({ page, box, watch }) {
  watch.expected.push('ERR_', 'net::');
  await open(page, box);
  await page.waitForSelector('.badge >> text=live');
  box.mock.rate = 50;
  const from = box.mock.log.at(-1).id;
  box.mock.away = true;
  const sockets = [...box.mock.followers];
  box.mock.cut();
  watch.expect(sockets.length > 0, 'nobody follows the log');
  await page.waitForSelector('.badge >> text=connecting');
  await new Promise((done) => setTimeout(done, 1500));
  box.mock.away = false;
  await page.waitForSelector('.badge >> text=live', { timeout: 20_000 });
  box.mock.rate = 0;
  const [download] = await Promise.all([page.waitForEvent('download'), settle(page, box).then(() => page.click('text=Save as JSON lines'))]);
  const ids = readFileSync(await download.path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line).id).filter((id) => id > from);
  const expected = box.mock.log.filter((record) => record.id > from).map((record) => record.id);
  watch.expect(ids.length > 50 && ids.join() === expected.join(), `${ids.length} of ${expected.length} records came`);
  box.mock.rate = 2;
}

/** Until the last record is drawn. */
async function settle(page, box) {
  const last = box.mock.log.at(-1).time;
  await page.waitForFunction((last) => document.querySelector('.record time').dateTime === last, last);
}

async function many({ page, box, watch }) {
  await open(page, box);
  await page.evaluate(() => {
    window.long = [];
    new PerformanceObserver((list) => window.long.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
  });
  box.mock.rate = 1000;
  await new Promise((done) => setTimeout(done, 6000));
  const before = Date.now();
  await page.click('text=Pause');
  const clicked = Date.now() - before;
  box.mock.rate = 2;
  const { long, rows } = await page.evaluate(() => ({ long: window.long, rows: document.querySelectorAll('.record').length }));
  console.log(`    1000 records/s for 6 s: ${Math.round(long.reduce((sum, one) => sum + one, 0))} ms in ${long.length} long tasks, the longest ${Math.round(Math.max(0, ...long))} ms; a click took ${clicked} ms`);
  watch.expect(rows <= 250, `${rows} rows are drawn`);
  await page.waitForSelector('text=/of [3-9],\\d{3} records/');
  await watch.look(page, 'many');
}

async function saved({ page, box, watch }) {
  await open(page, box);
  await page.click('text=Pause');
  await page.fill('.filters input >> nth=0', 'wp-login');
  const count = Number((await page.textContent('.counts span:nth-child(2)')).split(' ')[0]);
  const lines = async (button) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`text=${button}`)]);
    return [download.suggestedFilename(), readFileSync(await download.path(), 'utf8').trim().split('\n')];
  };
  const [textName, text] = await lines('Save as text');
  watch.expect(/^gatehouse-\d{8}T\d{6}\.log$/.test(textName), `the file is called ${textName}`);
  watch.expect(text.length === count && text.every((line) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \w+ .*wp-login/.test(line)), `${text.length} of ${count}: ${text[0]}`);
  const [, json] = await lines('Save as JSON lines');
  watch.expect(json.length === count && json.every((line) => JSON.parse(line).asked.includes('wp-login')), `${json.length} of ${count}`);
}

async function strangers({ page, box, watch }) {
  await open(page, box);
  await page.fill('.filters input >> nth=0', '<img');
  await page.waitForSelector('.record >> text=<img src=x onerror=alert(1)>');
  for (const path of ['/log', '/hosts', '/', '/bans', '/users']) {
    await page.goto(box.url + path);
    await settled(page);
    const made = await page.evaluate(() => document.querySelectorAll('img, script:not([src]), iframe, object').length);
    watch.expect(made === 0, `${path}: markup of a stranger became an element`);
  }
  await page.goto(`${box.url}/hosts`);
  await settled(page);
  await page.waitForSelector('.host >> text=<img src=x onerror=alert(1)>');
}
