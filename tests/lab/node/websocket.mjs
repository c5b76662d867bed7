// Opens a page and, from it, a WebSocket; prints what it saw as one line of JSON.
// Arguments: address of every name, URL of the page, URL of the socket, words to send, and a cookie NAME=VALUE for the page, if it has one.
import { chromium } from "playwright-core";

const [address, page, socket, words, cookie] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", `--host-resolver-rules=MAP * ${address}`],
});

async function talk() {
  const context = await browser.newContext();
  if (cookie !== undefined) {
    const [name, value] = cookie.split("=");
    await context.addCookies([{ name, value, url: page, secure: true }]);
  }
  const tab = await context.newPage();
  const wire = await context.newCDPSession(tab);
  let security = {};
  wire.on("Network.responseReceived", (event) => {
    if (event.type === "Document") security = event.response.securityDetails ?? {};
  });
  await wire.send("Network.enable");
  const response = await tab.goto(page);
  const protocol = await tab.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol);
  const seen = { status: response.status(), url: tab.url(), body: await tab.textContent("body"), protocol, group: security.keyExchangeGroup };
  const echo = await tab.evaluate(
    ([socket, words]) =>
      new Promise((resolve, reject) => {
        const connection = new WebSocket(socket);
        connection.onopen = () => connection.send(words);
        connection.onmessage = (event) => {
          connection.close();
          resolve(event.data);
        };
        connection.onerror = () => reject(new Error("the WebSocket failed"));
      }),
    [socket, words],
  );
  return { ...seen, echo };
}

try {
  console.log(JSON.stringify(await talk()));
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
} finally {
  await browser.close();
}
