// Chromium with several people at it, who do what they are told: one line of JSON on standard input each, answered with a line
// "answer NUMBER JSON". Argument: a file with JSON: rules (where names are found, as Chromium takes them), shots (a folder for pictures).
//
// An order has a number, who (a name; each has cookies and a language of his own), tab (a name) and do: open (url), send (fields of the form that is
// shown, and press, the words of its button, where it has several), follow (words of a link), cookie (url, name), talk (url of a WebSocket),
// talks, or look (name). Where it leads to another page the answer says what is shown then: status, url, title, text and trail (every address
// on the way).
import { mkdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", `--host-resolver-rules=${told.rules}`],
});
const PATIENCE = 40_000;
const people = new Map();

async function person({ who, language, tab }) {
  if (!people.has(who)) {
    const context = await browser.newContext({ locale: language });
    context.setDefaultTimeout(PATIENCE);
    people.set(who, { context, tabs: new Map() });
  }
  const { context, tabs } = people.get(who);
  if (!tabs.has(tab)) {
    const page = await context.newPage();
    const self = { context, page, trail: [], reports: [] };
    page.on("request", (request) => {
      if (request.isNavigationRequest()) self.trail.push(request.url());
    });
    page.on("console", (message) => self.reports.push(message.text()));
    tabs.set(tab, self);
  }
  return tabs.get(tab);
}

// What is shown once `step` has led to another page.
async function after(self, step) {
  self.trail = [];
  self.reports = [];
  const [response] = await Promise.all([self.page.waitForNavigation({ waitUntil: "load" }), step()]);
  return {
    status: response?.status() ?? 0,
    url: self.page.url(),
    title: await self.page.title(),
    text: await self.page.evaluate(() => document.body.innerText),
    trail: self.trail,
  };
}

const named = (page, role, words) => page.getByRole(role, { name: words, exact: true });

const orders = {
  open: (self, { url }) => after(self, () => self.page.goto(url)),
  follow: (self, { words }) => after(self, () => named(self.page, "link", words).click()),
  send: (self, { fields, press }) =>
    after(self, async () => {
      for (const [name, value] of Object.entries(fields)) await self.page.fill(`[name="${name}"]`, value);
      await (press ? named(self.page, "button", press) : self.page.locator("form [type=submit]")).click();
    }),
  cookie: async (self, { url, name }) => {
    const found = (await self.context.cookies(url)).find((cookie) => cookie.name === name);
    return { value: found?.value ?? null };
  },
  talk: async (self, { url }) => {
    const echo = await self.page.evaluate(
      (url) =>
        new Promise((resolve, reject) => {
          window.talk = new WebSocket(url);
          window.talk.onopen = () => window.talk.send("words");
          window.talk.onmessage = (event) => resolve(event.data);
          window.talk.onerror = () => reject(new Error("the WebSocket failed"));
        }),
      url,
    );
    return { echo };
  },
  talks: async (self) => ({ open: await self.page.evaluate(() => window.talk?.readyState === WebSocket.OPEN) }),
  look,
};

// The page in both colours, at the width of a telephone and of a desk: what is wrong with it, and a picture of each.
async function look(self, { name }) {
  // Here, for only those who look need the package.
  const { Watch } = await import("../../../crates/admin/web/test/browser/watch.mjs");
  mkdirSync(told.shots, { recursive: true });
  const watch = new Watch();
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 1280]) {
      const view = `${name}-${colorScheme}-${width}`;
      await self.page.emulateMedia({ colorScheme });
      await self.page.setViewportSize({ width, height: 844 });
      const wide = await self.page.evaluate(() => document.documentElement.scrollWidth);
      watch.expect(wide <= width, `${view}: ${wide} pixels wide`);
      await watch.look(self.page, view);
      await self.page.screenshot({ path: `${told.shots}/${view}.png`, fullPage: true });
    }
  }
  for (const report of self.reports.splice(0)) {
    // That a page came with such a status is what is looked at.
    if (!report.includes("the server responded with a status of")) watch.fault(`${name}: console: ${report}`);
  }
  const scripts = await self.page.evaluate(() => document.scripts.length);
  watch.expect(scripts === 0, `${name}: holds a script`);
  const { language, here } = await self.page.evaluate(() => ({ language: document.documentElement.lang, here: navigator.language }));
  watch.expect(here.startsWith(language), `${name}: is in ${language}`);
  return { faults: watch.faults };
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  let answer;
  try {
    answer = await orders[order.do](await person(order), order);
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(`answer ${order.number} ${JSON.stringify(answer)}`);
}
await browser.close();
