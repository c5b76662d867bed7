// That what must never happen would be noticed.

import { settled } from './watch.mjs';

export const self = [{ name: 'the watch itself', context: { locale: 'en-GB', viewport: { width: 1280, height: 800 } }, run: watches }];

const FAULTS = {
  'CSP: style-src-attr': () => document.querySelector('main').setAttribute('style', 'color: red'),
  'CSP: require-trusted-types-for': () => {
    try {
      document.querySelector('main').innerHTML += '<b>x</b>';
    } catch {
      // It is refused, and reported.
    }
  },
  'CSP: connect-src': () => fetch('http://192.0.2.1/').catch(() => {}),
  'console: ': () => console.error('a fault'),
  'page: ': () => setTimeout(() => Promise.reject(new Error('unseen'))),
  'clipped: 400 > ': () => {
    const outer = document.createElement('p');
    outer.style.cssText = 'width: 100px; overflow: hidden';
    const inner = document.createElement('span');
    inner.style.cssText = 'display: inline-block; width: 400px';
    inner.textContent = 'text that is cut off';
    outer.append(inner);
    document.querySelector('main').append(outer);
  },
  'clipped: outside of the window': () => {
    const text = document.createElement('p');
    text.style.cssText = 'position: absolute; left: -200px';
    text.textContent = 'text that nobody sees';
    document.querySelector('main').append(text);
  },
  'axe image-alt': () => document.querySelector('main').append(document.createElement('img')),
  'axe target-size': () => {
    for (let i = 0; i < 2; i++) {
      const small = document.createElement('button');
      small.style.cssText = 'all: revert; width: 8px; height: 8px; padding: 0; min-height: 0';
      small.textContent = 'x';
      document.querySelector('main').append(small);
    }
  },
};

async function watches({ page, box, watch }) {
  const missed = [];
  for (const [told, fault] of Object.entries(FAULTS)) {
    await page.goto(`${box.url}/account`);
    await settled(page);
    await page.evaluate(fault);
    await page.waitForTimeout(100);
    await watch.look(page, 'self');
    if (!watch.faults.some((text) => text.includes(told))) missed.push(told);
    watch.faults.length = 0;
  }
  for (const told of missed) watch.fault(`not noticed: ${told}`);
}
