// Changing the configuration.

import { join } from 'node:path';
import { login, settled } from './watch.mjs';

const EN = { locale: 'en-GB', viewport: { width: 1280, height: 900 } };
const NARROW = { locale: 'de-DE', viewport: { width: 360, height: 800 } };

export const configFlows = [
  { name: 'a change of addresses goes on trial and is confirmed', context: EN, run: confirmed },
  { name: 'a trial ends without anybody', context: NARROW, run: runsOut },
  { name: 'a change that cuts the page off', context: EN, run: cutOff },
  { name: 'a change that cuts the page off before the answer', context: NARROW, run: cutOffAtOnce },
  { name: 'a trial that is over is not given up again', context: EN, run: tooLate },
  { name: 'a trial of somebody else', context: { ...EN, locale: 'de-DE' }, run: ofSomebodyElse },
  { name: 'a change that locks nobody out is in force at once', context: EN, run: atOnce },
  { name: 'two operators at one text', context: EN, run: twoAtOneText },
  { name: 'unsaved text outlives other pages and a reload', context: EN, run: kept },
  { name: 'history: compare, go on from one, roll back', context: EN, run: history },
  { name: 'secrets are set and removed', context: EN, run: secrets },
  { name: 'a line is shown and marked', context: EN, run: line },
];

async function edit(page, box, change) {
  await page.goto(`${box.url}/config`);
  await settled(page);
  const area = page.locator('.editor textarea');
  await area.fill(change(await area.inputValue()));
}

/** Never the one that is there: a text that is the same can not be applied. */
const otherAddress = (text) =>
  text.replace(/172\.31\.31\.(\d+)\/24/, (_, last) => `172.31.31.${((Number(last) + 1) % 200) + 20}/24`);

async function apply(page) {
  await page.click('.toolbar .primary');
  await page.waitForSelector('dialog');
}

async function confirmed({ page, box, watch }) {
  await edit(page, box, otherAddress);
  await apply(page);
  await page.waitForSelector('dialog >> text=the networks');
  await page.waitForSelector('dialog .diff-row.in');
  watch.expect((await page.locator('dialog a[href^="https://172.31.31."]').count()) === 1, 'no link to the new address');
  await watch.look(page, 'apply');
  if (box.shots) await page.screenshot({ path: join(box.shots, 'flow-apply.png') });
  await page.click('dialog .primary');
  await page.waitForSelector('.banner.trial');
  await watch.look(page, 'on trial');
  if (box.shots) await page.screenshot({ path: join(box.shots, 'flow-trial.png') });
  await page.click('nav >> text=Hosts');
  await settled(page);
  await page.waitForSelector('.banner.trial >> text=Rolled back in 2:');
  watch.expect((await page.locator('.banner.trial a[href^="https://172.31.31."]').count()) === 1, 'the banner has no link to the new address');
  await page.click('.banner.trial .primary');
  await page.waitForSelector('.news >> text=is confirmed and stays in force');
  await page.waitForSelector('.banner.trial', { state: 'detached' });
  watch.expect(box.mock.trial === null, 'the box still waits');
}

async function runsOut({ page, box, watch }) {
  const before = box.mock.inForce;
  await edit(page, box, otherAddress);
  await apply(page);
  await watch.look(page, 'apply, narrow');
  if (box.shots) await page.screenshot({ path: join(box.shots, 'flow-apply-360.png') });
  await page.click('dialog .primary');
  await page.waitForSelector('.banner.trial');
  await watch.look(page, 'on trial, narrow');
  if (box.shots) await page.screenshot({ path: join(box.shots, 'flow-trial-360.png') });
  box.mock.giveUp();
  await page.waitForSelector(`.news >> text=Die Probe ist zu Ende: Generation ${before}`, { timeout: 10_000 });
  await page.waitForFunction((text) => document.querySelector('textarea').value === text, box.mock.text());
}

/** The answer still comes; after it the box is out of reach. */
async function cutOff({ page, box, watch }) {
  watch.expected.push('ERR_', 'Failed to load');
  const before = box.mock.inForce;
  await edit(page, box, (text) => text.replace(/^port = 8443$/m, 'port = 9443'));
  await apply(page);
  await page.waitForSelector('dialog a[href$=":9443/confirm"]');
  await page.route('**/api/v1/**', (route) => (route.request().url().endsWith('/apply') ? route.continue() : route.abort()));
  await page.click('dialog .primary');
  await page.waitForSelector('.banner.bad >> text=This page does not reach the box any more');
  await page.waitForSelector('.banner.trial >> text=Rolled back in 2:');
  watch.expect((await page.locator('.banner.trial a[href$=":9443/confirm"]').count()) > 0, 'the banner has no link to the new port');
  watch.expect(await page.isDisabled('.banner.trial .primary'), 'what can not be reached can be confirmed');
  await watch.look(page, 'cut off');
  if (box.shots) await page.screenshot({ path: join(box.shots, 'flow-cut-off.png') });
  box.mock.giveUp();
  await page.unroute('**/api/v1/**');
  await page.waitForSelector('.banner', { state: 'detached', timeout: 15_000 });
  watch.expect(box.mock.inForce === before, 'the box has not gone back');
}

async function cutOffAtOnce({ page, box, watch }) {
  watch.expected.push('ERR_', 'Failed to load');
  await edit(page, box, (text) => text.replace(/^port = 8443$/m, 'port = 9443'));
  await apply(page);
  await page.route('**/api/v1/**', (route) => route.abort());
  await page.click('dialog .primary');
  await page.waitForSelector('dialog .note.bad >> text=Das Gerät antwortet nicht mehr');
  await page.waitForSelector('dialog .note.bad >> text=in 2:');
  watch.expect((await page.locator('dialog a[href$=":9443/confirm"]').count()) > 0, 'the dialog has no link to the new port');
  await watch.look(page, 'cut off at once');
  if (box.shots) await page.screenshot({ path: join(box.shots, 'flow-cut-off-at-once-360.png') });
}

/** The banner is older than the end of the trial. */
async function tooLate({ page, box, watch }) {
  watch.expected.push('409');
  const before = box.mock.inForce;
  await edit(page, box, otherAddress);
  await apply(page);
  await page.click('dialog .primary');
  await page.waitForSelector('.banner.trial');
  await page.route('**/api/v1/status', () => {});
  box.mock.giveUp();
  for (const button of ['.primary', 'button:not(.primary)']) {
    await page.click(`.banner.trial ${button}`);
    await page.waitForSelector('.banner.trial .note.bad >> text=is not on trial any more');
  }
  watch.expect(box.mock.inForce === before, `generation ${box.mock.inForce} has come into force`);
}

async function ofSomebodyElse({ page, box, watch }) {
  watch.expected.push('403');
  await login(page, box, 'operator');
  box.mock.apply(otherAddress(box.mock.text()), 'apply', 180, 'admin');
  await page.waitForSelector('.banner.trial', { timeout: 10_000 });
  await page.click('.banner.trial .primary');
  await page.waitForSelector('.banner.trial .note.bad >> text=diese Änderung hat admin in einer anderen Sitzung begonnen');
  await watch.look(page, 'not mine');
  box.mock.giveUp();
}

async function atOnce({ page, box, watch }) {
  await edit(page, box, (text) => text.replace('hostname = "gate-hq"', `hostname = "gate-hq" # ${Date.now()}`));
  await page.locator('.editor textarea').press('Control+s');
  await page.waitForSelector('.note.good >> text=No faults.');
  await page.waitForSelector('.diff-row.out');
  await watch.look(page, 'checked');
  if (box.shots) await page.screenshot({ path: join(box.shots, 'flow-checked.png') });
  await apply(page);
  await page.waitForSelector('dialog >> text=This can not lock you out');
  await page.click('dialog .primary');
  await page.waitForSelector('.news >> text=is in force.');
  watch.expect(box.mock.trial === null, 'it is on trial');
  watch.expect((await page.evaluate(() => sessionStorage.length)) === 0, 'the draft is still kept');
}

async function twoAtOneText({ page, box, watch }) {
  await edit(page, box, (text) => `# mine\n${text}`);
  box.mock.apply(`# theirs\n${box.mock.text()}`, 'pages: somebody', null);
  await page.waitForSelector('.note.warn >> text=has come into force since', { timeout: 10_000 });
  watch.expect(await page.isDisabled('.toolbar .primary'), 'a stale text can be applied');
  await watch.look(page, 'stale');
  await page.click('text=Go on with my text');
  await apply(page);
  await page.click('dialog .primary');
  await page.waitForSelector('.news >> text=is in force.');
  watch.expect(box.mock.text().startsWith('# mine\n#'), 'the text is not the one that was applied');
}

async function kept({ page, box, watch }) {
  await edit(page, box, (text) => `# unsaved\n${text}`);
  await page.click('nav >> text=Log');
  await settled(page);
  await page.click('nav >> text=Configuration');
  await settled(page);
  const starts = () => page.locator('textarea').evaluate((area) => area.value.startsWith('# unsaved\n'));
  watch.expect(await starts(), 'another page loses it');
  await page.reload();
  await settled(page);
  watch.expect(await starts(), 'a reload loses it');
  await page.click('text=Discard changes');
  await page.click('dialog .danger');
  await page.waitForFunction(() => !document.querySelector('textarea').value.startsWith('# unsaved'));
}

async function history({ page, box, watch }) {
  await page.goto(`${box.url}/config#history`);
  await settled(page);
  await page.waitForSelector('table');
  await page.selectOption('form select >> nth=0', '1');
  await page.selectOption('form select >> nth=1', '3');
  await page.click('form button');
  await page.waitForSelector('.diff-row.in');
  await watch.look(page, 'compared');
  if (box.shots) await page.screenshot({ path: join(box.shots, 'flow-compared.png') });
  await page.click('[aria-label="Edit from here: generation 2"]');
  await page.waitForSelector('.editor textarea');
  watch.expect((await page.inputValue('textarea')) === box.mock.text(2), 'it is not the text of generation 2');
  await page.click('text=Discard changes');
  await page.click('dialog .danger');
  await page.click('text=History');
  await page.click('[aria-label="Roll back to generation 3"]');
  await page.click('dialog .primary');
  await page.waitForSelector('.news >> text=is in force.');
  watch.expect(box.mock.text() === box.mock.text(3), 'generation 3 is not in force');
}

async function secrets({ page, box, watch }) {
  await page.goto(`${box.url}/config`);
  await settled(page);
  await page.click('text=Secrets');
  await page.fill('form input', 'sbc-password');
  await page.fill('form textarea', 'not to be seen again');
  await page.click('form button');
  await page.waitForSelector('.news >> text=The secret sbc-password is kept.');
  watch.expect((await page.inputValue('form textarea')) === '', 'the value stays in the form');
  await page.click('[aria-label="Remove sbc-password"]');
  await page.click('dialog .danger');
  await page.waitForSelector('.news >> text=The secret sbc-password is removed.');
  watch.expect(!box.mock.secrets.has('sbc-password'), 'the secret is still there');
}

async function line({ page, box, watch }) {
  await page.goto(`${box.url}/config#L200`);
  await settled(page);
  await page.waitForSelector('.picked');
  const selected = await page.evaluate(() => {
    const area = document.querySelector('textarea');
    const box = document.querySelector('.picked').getBoundingClientRect();
    const { value, selectionStart, selectionEnd } = area;
    return { line: value.slice(0, selectionStart).split('\n').length, text: value.slice(selectionStart, selectionEnd), top: box.top, focused: document.activeElement === area };
  });
  watch.expect(selected.line === 200 && selected.focused, `line ${selected.line} is selected`);
  watch.expect(selected.text === box.mock.text().split('\n')[199], `selected is ${selected.text}`);
  watch.expect(selected.top > 0 && selected.top < 900, 'the line is not in sight');
}
