// The pages that work without script; the box itself writes them, so that they are looked at there only.

import { join } from 'node:path';

/** Before somebody has signed in, and after. */
const BEFORE = ['login'];
const AFTER = ['confirm', 'rollback', 'logout'];

export const plainPages = ['en', 'de'].flatMap((language) =>
  ['light', 'dark'].flatMap((colours) =>
    [360, 1280].map((width) => ({
      name: `plain pages ${language} ${colours} ${width}`,
      stranger: true,
      context: {
        locale: language === 'de' ? 'de-DE' : 'en-GB',
        colorScheme: colours,
        viewport: { width, height: 800 },
      },
      run: (all) => run(all, language, `${language}-${colours}-${width}`),
    })),
  ),
);

async function run({ page, box, watch }, language, variant) {
  for (const name of BEFORE) await look(page, box, watch, language, name, variant);
  // A wrong password, then the right one, with the keyboard alone.
  await page.goto(`${box.url}/login?then=/confirm`);
  watch.expected.push('401');
  await fill(page, box.user, 'not the password');
  await page.waitForSelector('[role=alert]');
  await look(page, box, watch, language, 'login-refused', variant, false);
  await fill(page, box.user, box.password);
  await page.waitForURL(`${box.url}/confirm`);
  for (const name of AFTER) await look(page, box, watch, language, name, variant);
  await page.focus('button');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${box.url}/login`);
}

async function fill(page, user, password) {
  await page.focus('[name=user]');
  await page.keyboard.press('Control+a');
  await page.keyboard.type(user);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
}

async function look(page, box, watch, language, name, variant, open = true) {
  if (open) await page.goto(`${box.url}/${name}`);
  await page.waitForSelector('h1');
  watch.expect((await page.getAttribute('html', 'lang')) === language, `${name}: not in ${language}`);
  await watch.look(page, name);
  if (box.shots) await page.screenshot({ path: join(box.shots, `plain-${name}-${variant}.png`), fullPage: true });
}
