// The pages without a mouse.

import { settled } from './watch.mjs';

export const keyboard = [1280, 360].map((width) => ({
  name: `keyboard only ${width}`,
  context: { locale: 'en-GB', viewport: { width, height: 800 } },
  run: (all) => walk(all, width),
}));

const PATHS = ['/', '/log', '/hosts', '/explain', '/bans', '/config', '/users', '/account'];

async function walk({ page, box, watch }, width) {
  for (const path of PATHS) {
    await page.goto(box.url + path);
    await settled(page);
    await page.keyboard.press('Tab');
    watch.expect((await focus(page)).classes === 'skip', `${path}: the first is not the link to the content`);
    await page.keyboard.press('Enter');
    watch.expect((await focus(page)).id === 'content', `${path}: the link does not lead to the content`);
    await throughAll(page, watch, path);
  }
  await toAnotherPage(page, watch, width);
}

/** Tab goes through everything and comes to an end, and what has the focus can be seen. */
async function throughAll(page, watch, path) {
  let count = 0;
  for (; count < 900; count++) {
    await page.keyboard.press('Tab');
    const at = await focus(page);
    if (at.name === 'body') break;
    if (!at.seen) watch.fault(`${path}: the focus can not be seen: ${at.html}`);
    if (!at.outlined) watch.fault(`${path}: the focus is not marked: ${at.html}`);
    if (watch.faults.length > 5) return;
  }
  watch.expect(count < 900, `${path}: Tab comes to no end`);
  watch.expect(count > 1, `${path}: nothing can be reached`);
}

async function toAnotherPage(page, watch, width) {
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  if (width < 800) {
    watch.expect((await focus(page)).classes === 'menu', 'the menu does not come next');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.localName === 'h1');
  watch.expect(new URL(page.url()).pathname === '/log', `Enter on the second link leads to ${page.url()}`);
  await page.goBack();
  await page.waitForFunction(() => location.pathname === '/account' && document.activeElement?.localName === 'h1');
}

function focus(page) {
  return page.evaluate(() => {
    const element = document.activeElement ?? document.body;
    const { top, bottom, left, right, width, height } = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const around = element.closest('.editor');
    const marked = (style) => style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0;
    return {
      name: element.localName,
      id: element.id,
      classes: element.className,
      html: element.outerHTML.slice(0, 120),
      seen: width > 0 && height > 0 && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
      outlined: marked(style) || (around !== null && getComputedStyle(around).boxShadow !== 'none'),
    };
  });
}
