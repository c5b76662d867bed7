// A box that is none: serves ../dist and plausible answers of the API, for development and tests only.
//
//   node dev/serve.mjs [PORT]
//
// Users: admin, operator, viewer; password of all: "correct horse". Everything is forgotten at the end.

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Box } from './box.mjs';
import { answer } from './routes.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist');
const APP = ['/', '/log', '/hosts', '/explain', '/bans', '/config', '/users', '/account'];
const TYPES = { js: 'text/javascript', css: 'text/css', html: 'text/html', txt: 'text/plain' };
const LONGEST_BODY = 1024 * 1024;

export const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Serves a box of its own on a port of the loopback address; 0: any. */
export function serve(port = 0) {
  const box = new Box();
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    handle(box, request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      const { port } = server.address();
      const close = () => {
        box.stop();
        server.closeAllConnections();
        return new Promise((closed) => server.close(closed));
      };
      resolve({ url: `http://127.0.0.1:${port}`, box, close });
    });
  });
}

async function handle(box, request, response) {
  const url = new URL(request.url, 'http://box');
  if (box.away) return request.socket.destroy();
  const session = box.sessionOf(request.headers.cookie);
  if (url.pathname.startsWith('/api/v1/')) {
    return answer({ box, session, url, request, response, body: await read(request) });
  }
  if (url.pathname.startsWith('/assets/')) return asset(url.pathname.slice('/assets/'.length), response);
  if (url.pathname === '/login') return login(box, url, request, response);
  if (url.pathname === '/logout') {
    if (session) box.end(session.id);
    response.setHeader('set-cookie', 'gatehouse-mock=; Path=/; Max-Age=0');
    return redirect(response, '/login');
  }
  if (url.pathname === '/confirm') return page(response, 'Confirm');
  if (!APP.includes(url.pathname)) return response.writeHead(404).end('There is no such page.\n');
  if (!session) return redirect(response, `/login?then=${encodeURIComponent(url.pathname)}`);
  response.setHeader('cache-control', 'no-store');
  file('index.html', response);
}

async function login(box, url, request, response) {
  if (request.method !== 'POST') return page(response, 'Log in', form(url.searchParams.get('then') ?? '/'));
  const fields = new URLSearchParams(await read(request));
  const session = box.login(fields.get('user'), fields.get('password'), request.socket.remoteAddress);
  if (!session) return page(response, 'Log in', `<p>Wrong.</p>${form('/')}`, 401);
  response.setHeader('set-cookie', `gatehouse-mock=${session.token}; Path=/; HttpOnly; SameSite=Strict`);
  const then = fields.get('then') ?? '/';
  redirect(response, /^\/(?!\/)/.test(then) ? then : '/');
}

function form(then) {
  const safe = then.replace(/[^\w/#?=&%.:-]/g, '');
  return `<form method="post" action="/login"><input type="hidden" name="then" value="${safe}">
<p><label>User <input name="user" autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button>Log in</button></p></form>`;
}

function page(response, title, body = '', status = 200) {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>${title}</title><main><h1>${title}</h1>${body}</main></html>`);
}

function asset(name, response) {
  if (!/^[\w-]+\.(js|css|txt)$/.test(name)) return response.writeHead(404).end();
  response.setHeader('cache-control', 'public, max-age=31536000, immutable');
  file(name, response);
}

function file(name, response) {
  try {
    const bytes = readFileSync(join(dist, name));
    response.setHeader('content-type', `${TYPES[name.split('.').pop()]}; charset=utf-8`);
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

function redirect(response, to) {
  response.writeHead(303, { location: to }).end();
}

async function read(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > LONGEST_BODY) throw new Error('a body that is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { url } = await serve(Number(process.argv[2] ?? 8444));
  console.log(`${url}  (admin, operator or viewer; "correct horse")`);
}
