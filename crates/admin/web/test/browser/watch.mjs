// What must never happen on any page, and how it is noticed.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { clipped } from './clipped.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** How the browser is started. */
export const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
};

export class Watch {
  faults = [];
  /** Texts of console errors that the test itself provokes. */
  expected = [];

  /** Watches all pages of `context`; nothing may be asked of anybody but `url`, unless `elsewhere` allows it. */
  static async begin(context, url, elsewhere = false) {
    const watch = new Watch();
    const { origin } = new URL(url);
    await context.addInitScript(() => {
      window.reports = [];
      addEventListener('securitypolicyviolation', (event) => {
        window.reports.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
      });
      window.alert = () => window.reports.push('alert was called: markup of a stranger ran');
    });
    context.on('page', (page) => {
      page.on('console', (message) => {
        const text = message.text();
        const told = ['error', 'warning'].includes(message.type());
        if (told && !watch.expected.some((part) => text.includes(part))) watch.fault(`console: ${text} (${message.location().url})`);
      });
      page.on('pageerror', (error) => watch.fault(`page: ${error.stack}`));
      page.on('request', (request) => {
        const asked = new URL(request.url());
        if (!['data:', 'blob:'].includes(asked.protocol) && asked.origin !== origin && !elsewhere) watch.fault(`asked elsewhere: ${asked}`);
      });
    });
    return watch;
  }

  fault(text) {
    if (this.faults.length < 40) this.faults.push(text);
  }

  expect(condition, text) {
    if (!condition) this.fault(text);
  }

  async lookForClipped(page, name) {
    for (const text of await page.evaluate(clipped)) this.fault(`${name}: clipped: ${text}`);
  }

  /** Looks at what is on the page now. */
  async look(page, name) {
    for (const report of await page.evaluate(() => window.reports?.splice(0) ?? [])) this.fault(`${name}: CSP: ${report}`);
    await this.lookForClipped(page, name);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { rules: { 'target-size': { enabled: true } } }));
    for (const { id, help, nodes } of violations) {
      for (const node of nodes.slice(0, 3)) this.fault(`${name}: axe ${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary.replaceAll('\n', ' ')}`);
    }
  }
}

export async function login(page, { url, user, password }, as = user) {
  await page.goto(`${url}/login`);
  await page.fill('[name=user]', as);
  await page.fill('[name=password]', password);
  await page.click('form button');
  await page.waitForSelector('h1[tabindex]');
}

/** Waits until what is loaded is drawn. */
export async function settled(page) {
  await page.waitForSelector('h1[tabindex]');
  await page.waitForLoadState('load');
  await page.waitForFunction(() => ![...document.querySelectorAll('.empty')].some((element) => element.textContent.endsWith('…')));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}
