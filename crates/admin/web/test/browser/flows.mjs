// What operators do, on the box that is none.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configFlows } from './config-flows.mjs';
import { logFlows } from './log-flows.mjs';
import { login, settled } from './watch.mjs';

const EN = { locale: 'en-GB', viewport: { width: 1280, height: 900 } };
const NARROW = { locale: 'de-DE', viewport: { width: 360, height: 800 }, colorScheme: 'dark' };

export const flows = [
  ...configFlows,
  ...logFlows,
  { name: 'a box that is well, and one that is not', context: EN, run: wellAndNot },
  { name: 'the menu where there is little room', context: NARROW, run: menu },
  { name: 'the box goes away and comes back', context: EN, run: boxAway },
  { name: 'the session ends', context: EN, run: sessionEnds },
  { name: 'a viewer is offered nothing he may not do', context: EN, run: viewer },
  { name: 'a role that was taken away is put into words', context: EN, run: demoted },
  { name: 'bans are made and lifted', context: EN, run: bans },
  { name: 'users are added, changed and removed', context: EN, run: users },
  { name: 'the second factor is set up', context: NARROW, run: secondFactor },
  { name: 'a wrong password is told and does not end the session', context: EN, run: wrongPassword },
  { name: 'logging out ends the session and forgets the draft', context: EN, run: logsOut },
  { name: 'language and colours are switched and kept', context: EN, run: appearance },
];

async function go(page, box, path) {
  await page.goto(box.url + path);
  await settled(page);
}

async function shot(page, box, name) {
  if (box.shots) await page.screenshot({ path: join(box.shots, `flow-${name}.png`) });
}

async function wellAndNot({ page, box, watch }) {
  const { mock } = box;
  const before = { hosts: mock.hosts, certificates: mock.certificates, notBuilt: mock.notBuilt, processes: mock.processes, listeners: mock.listeners, leftOut: mock.leftOut };
  Object.assign(mock, { hosts: mock.hosts.slice(2), certificates: mock.certificates.slice(0, 1), notBuilt: [] });
  await go(page, box, '/');
  await page.waitForSelector('.state.good >> text=All is well.');
  await watch.look(page, 'well');
  await shot(page, box, 'well');
  const [supervisor, edge, ...others] = mock.processes;
  const [first] = mock.certificates;
  mock.processes = [supervisor, { ...edge, pid: null, state: 'failed', reason: '<b>ended</b> by signal 9', retry_ms: 1500, restarts: 50 }, ...others];
  mock.listeners = [{ ...mock.listeners[0], fault: 'Address already in use (os error 98)' }, ...mock.listeners.slice(1)];
  mock.certificates = [{ ...first, expires: null, days_left: null, renewal: null }, { ...first, names: ['old.example'], expires: '2026-01-01T00:00:00.000Z', days_left: -325, renewal: null }, { ...first, names: ['odd.example'], renewal: null, problems: ['the chain lacks its intermediate', 'the key is short'] }];
  mock.leftOut = ['not root: the processes keep the rights of this user', 'edge: this kernel has no landlock'];
  await page.waitForSelector('.state.bad >> text=4 things do not work', { timeout: 10_000 });
  await watch.look(page, 'not well');
  await shot(page, box, 'not-well');
  Object.assign(mock, before);
}

async function menu({ page, box, watch }) {
  await go(page, box, '/hosts');
  await page.click('.menu');
  await page.waitForSelector('nav a:visible');
  await watch.look(page, 'menu');
  await shot(page, box, 'menu');
  await page.click('nav >> text=Sperren');
  await page.waitForSelector('h1 >> text=Sperren');
  watch.expect(!(await page.isVisible('nav')), 'the menu stays open');
}

async function boxAway({ page, box, watch }) {
  watch.expected.push('ERR_EMPTY_RESPONSE', 'ERR_CONNECTION', 'net::');
  await go(page, box, '/');
  box.mock.away = true;
  await page.waitForSelector('.banner.bad', { timeout: 20_000 });
  await watch.look(page, 'away');
  await shot(page, box, 'away');
  box.mock.away = false;
  await page.waitForSelector('.banner.bad', { state: 'detached', timeout: 20_000 });
  await page.waitForSelector('.news >> text=The box is back.');
}

async function sessionEnds({ page, box, watch }) {
  watch.expected.push('401');
  await go(page, box, '/config#L12');
  box.mock.sessions.clear();
  await page.waitForURL((url) => url.pathname === '/login', { timeout: 20_000 });
  watch.expect(page.url().endsWith('/login?then=%2Fconfig%23L12'), `the way back is not in ${page.url()}`);
  await page.fill('[name=user]', 'admin');
  await page.fill('[name=password]', 'correct horse');
  await page.click('button');
  await settled(page);
  watch.expect(new URL(page.url()).pathname === '/config', `the login leads to ${page.url()}`);
}

async function viewer({ page, box, watch }) {
  await login(page, box, 'viewer');
  for (const [path, forbidden] of [
    ['/', 'text=Users'],
    ['/bans', '.row-actions button, form'],
    ['/config', '.toolbar button'],
    ['/users', 'form, table'],
  ]) {
    await go(page, box, path);
    watch.expect((await page.locator(forbidden).count()) === 0, `${path} offers ${forbidden}`);
    await watch.look(page, `viewer ${path}`);
  }
  await go(page, box, '/config');
  watch.expect(await page.locator('textarea').evaluate((area) => area.readOnly), 'a viewer can edit the text');
}

async function demoted({ page, box, watch }) {
  watch.expected.push('403');
  await login(page, box, 'operator');
  await go(page, box, '/bans');
  const user = box.mock.users.find((user) => user.name === 'operator');
  user.role = 'viewer';
  await page.click('.row-actions button >> nth=0');
  await page.click('dialog button:has-text("Lift")');
  await page.waitForSelector('.note.bad >> text=Your role does not allow this');
  user.role = 'operator';
}

async function bans({ page, box, watch }) {
  await go(page, box, '/bans');
  await page.fill('form input >> nth=0', '203.0.113.');
  await page.fill('form input >> nth=1', '<b>scans</b>');
  await page.click('form button');
  await page.waitForSelector('text=This is no IP address');
  await watch.look(page, 'bans with a fault');
  await page.fill('form input >> nth=0', '203.0.113.99');
  await page.click('form button');
  await page.waitForSelector('.news >> text=203.0.113.99 is banned.');
  await page.waitForSelector('tbody tr:has-text("203.0.113.99") >> text=by hand');
  await page.click('[aria-label="Lift the ban of 203.0.113.99"]');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  watch.expect(box.mock.bans.length === 162, 'Escape lifts a ban');
  const focused = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  watch.expect(focused === 'Lift the ban of 203.0.113.99', `after the question the focus is on ${focused}`);
  await page.click('[aria-label="Lift the ban of 203.0.113.99"]');
  await page.click('dialog button:has-text("Lift")');
  await page.waitForSelector('.news >> text=The ban is lifted.');
  await page.click('text=Lift all');
  await page.click('dialog >> text=Lift all >> nth=-1');
  await page.waitForSelector('.empty >> text=Nobody is banned.');
  watch.expect(box.mock.bans.length === 0, 'not all bans are lifted');
}

async function users({ page, box, watch }) {
  watch.expected.push('409');
  await go(page, box, '/users');
  const form = page.locator('form');
  await form.locator('input').nth(0).fill('anna');
  await form.locator('input').nth(1).fill('short');
  await form.locator('input').nth(2).fill('other');
  await form.locator('button').click();
  await page.waitForSelector('text=The password needs at least 10 characters.');
  await form.locator('input').nth(1).fill('long enough 1');
  await form.locator('button').click();
  await page.waitForSelector('text=The two passwords differ.');
  await form.locator('input').nth(2).fill('long enough 1');
  await form.locator('button').click();
  await page.waitForSelector('.news >> text=anna is added.');
  await page.click('[aria-label="Change anna"]');
  await page.selectOption('dialog select', 'operator');
  await page.click('dialog >> text=Save');
  await page.waitForSelector('tr:has-text("anna") >> text=operator');
  await page.click('[aria-label="Change operator"]');
  await page.click('dialog >> text=Switch second factor off');
  await page.click('dialog >> nth=-1 >> button.danger');
  await page.waitForSelector('.news >> text=The second factor of operator is off.');
  await page.click('[aria-label="Remove anna"]');
  await page.click('dialog button.danger');
  await page.waitForSelector('.news >> text=anna is removed.');
  await page.click('[aria-label="Change admin"]');
  await page.selectOption('dialog select', 'viewer');
  await page.click('dialog >> text=Save');
  await page.waitForSelector('dialog .note.bad >> text=this is the last admin');
  await watch.look(page, 'users, refused');
}

async function secondFactor({ page, box, watch }) {
  await go(page, box, '/account');
  const part = page.locator('.card', { hasText: 'Zweiter Faktor' });
  await part.locator('input').fill('correct horse');
  await part.locator('text=Einrichten').click();
  await page.waitForSelector('svg.qr');
  await watch.look(page, 'second factor, offer');
  await part.scrollIntoViewIfNeeded();
  await shot(page, box, 'totp');
  await reads(page, watch);
  await part.locator('input').fill('123 456');
  await part.locator('text=Einschalten').click();
  await page.waitForSelector('dialog .codes');
  watch.expect((await page.locator('.codes li').count()) === 10, 'there are not ten codes');
  await watch.look(page, 'recovery codes');
  await shot(page, box, 'codes');
  await page.click('dialog >> text=Ich habe sie aufbewahrt');
  await page.waitForSelector('.card >> text=Der zweite Faktor ist an.');
  await part.locator('input').nth(0).fill('correct horse');
  await part.locator('input').nth(1).fill('654 321');
  await watch.look(page, 'second factor, to be switched off');
  await part.locator('text=Ausschalten').click();
  await page.waitForSelector('.card >> text=Der zweite Faktor ist aus.');
}

/** The code on the screen is read by a decoder, where there is one. */
async function reads(page, watch) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-qr-'));
  try {
    const file = join(folder, 'code.png');
    await page.locator('svg.qr').screenshot({ path: file });
    const text = execFileSync('zbarimg', ['--quiet', '--raw', file], { encoding: 'utf8' }).trim();
    watch.expect(text.startsWith('otpauth://totp/Gatehouse%20gate-hq:admin?secret='), `the code says ${text}`);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    console.log('    skipped: zbarimg is not installed');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function wrongPassword({ page, box, watch }) {
  watch.expected.push('422');
  await go(page, box, '/account');
  const part = page.locator('.card', { hasText: 'Present password' });
  await part.locator('input[type=password]').nth(0).fill('wrong');
  await part.locator('input[type=password]').nth(1).fill('a new password');
  await part.locator('input[type=password]').nth(2).fill('a new password');
  await part.locator('text=Change password').click();
  await page.waitForSelector('.note.bad >> text=the password is wrong');
  watch.expect(new URL(page.url()).pathname === '/account', 'a wrong password ends the session');
}

async function logsOut({ page, box, watch, context }) {
  await go(page, box, '/config');
  await page.locator('.editor textarea').fill('# secret plans');
  await page.click('text=Log out');
  await page.waitForURL((url) => url.pathname === '/login');
  watch.expect(box.mock.sessions.size === 0 || ![...box.mock.sessions.values()].some((one) => one.id === box.mock.lastSession), 'the session goes on');
  watch.expect((await page.evaluate(() => sessionStorage.length)) === 0, 'the draft is kept');
  const again = await context.newPage();
  await again.goto(box.url);
  watch.expect(new URL(again.url()).pathname === '/login', 'the pages are still there');
}

async function appearance({ page, box, watch }) {
  await go(page, box, '/account');
  await page.click('text=Deutsch');
  await page.waitForSelector('h1:has-text("Konto")');
  await page.click('text=dunkel');
  const state = () => page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme, getComputedStyle(document.body.parentElement).backgroundColor]);
  watch.expect((await state()).join(' ') === 'de dark rgb(16, 21, 27)', `switched: ${await state()}`);
  await page.reload();
  await settled(page);
  watch.expect((await state()).join(' ') === 'de dark rgb(16, 21, 27)', `after a reload: ${await state()}`);
  watch.expect((await page.title()) === 'Konto · gate-hq', `the title is ${await page.title()}`);
}
