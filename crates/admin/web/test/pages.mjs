// All pages in a real browser: each in English and German, light and dark, narrow and wide.
//
//   GATEHOUSE_URL       the box; none: one that is none (dev/serve.mjs), and more is tried on it
//   GATEHOUSE_USER, GATEHOUSE_PASSWORD   an administrator of it
//   GATEHOUSE_CLAIM     the code with which it is claimed first, since nobody has an account there
//   GATEHOUSE_SHOTS     a folder for pictures of every page
//   CHROMIUM            the browser; none: /usr/bin/chromium
//   ONLY                a pattern for the names of the tests that are wanted

import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { serve } from '../dev/serve.mjs';
import { CHROMIUM, Watch, login } from './browser/watch.mjs';
import { everyPage, otherWidths, someVariants } from './browser/matrix.mjs';
import { keyboard } from './browser/keyboard.mjs';
import { self } from './browser/self.mjs';
import { flows } from './browser/flows.mjs';
import { attacks } from './browser/attacks.mjs';
import { claimPages, plainPages } from './browser/plain.mjs';

const shots = process.env.GATEHOUSE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const real = process.env.GATEHOUSE_URL && {
  url: process.env.GATEHOUSE_URL,
  user: process.env.GATEHOUSE_USER,
  password: process.env.GATEHOUSE_PASSWORD,
  shots,
};
const browser = await chromium.launch(CHROMIUM);

const claim = process.env.GATEHOUSE_CLAIM;
// What both can show is looked at on the real box; the one that is none has what a real one rarely has: faults, long names, strangers' markup.
const onMock = [...self, ...someVariants, ...otherWidths, ...flows];
const onBox = [...everyPage, ...keyboard, ...plainPages, ...attacks];
const tests = !real ? onMock : claim ? claimPages(claim) : onBox;
const wanted = tests.filter(({ name }) => new RegExp(process.env.ONLY ?? '').test(name));
// Tests mostly wait. Each has a box that is none for itself; the real one is there once, and what one does another would see.
const LANES = real ? 1 : 3;
let failed = 0;
const queue = wanted.filter(({ alone }) => !alone);
await Promise.all(Array.from({ length: LANES }, lane));
// What a browser can do at most, it can while nobody else asks for it.
queue.push(...wanted.filter(({ alone }) => alone));
await lane();
await browser.close();
console.log(failed > 0 ? `${failed} of ${wanted.length} failed` : `${wanted.length} passed`);
process.exitCode = failed > 0 ? 1 : 0;

async function lane() {
  for (let test = queue.shift(); test; test = queue.shift()) {
    const mock = real ? null : await serve();
    const box = real || { url: mock.url, user: 'admin', password: 'correct horse', shots, mock: mock.box };
    await one(test, box);
    await mock?.close();
  }
}

async function one({ name, context: options, stranger, elsewhere, run }, box) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: 'reduce', ...options });
  const watch = await Watch.begin(context, box.url, elsewhere);
  const started = Date.now();
  try {
    const page = await context.newPage();
    if (!stranger) await login(page, box);
    await run({ page, box, watch, context });
  } catch (error) {
    watch.fault(error.stack ?? String(error));
  }
  await context.close();
  if (watch.faults.length > 0) failed++;
  console.log(`${watch.faults.length > 0 ? 'FAILED' : 'ok'}  ${name}  (${Date.now() - started} ms)`);
  for (const fault of watch.faults) console.log(`    ${fault.replaceAll('\n', '\n    ')}`);
}
