// Builds ../dist: one script, one style sheet, the page that names them, and a list with their hashes.
// The same sources and package-lock.json give the same bytes, wherever the checkout lies.

import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

const web = dirname(fileURLToPath(import.meta.url));
const dist = process.env.GATEHOUSE_DIST ?? join(web, '..', 'dist');
const linked = ['preact', 'uplot'];

const files = new Map();
const [script, style] = await bundled();
const scriptName = named('app', 'js', script);
const styleName = named('app', 'css', style);
const page = readFileSync(join(web, 'src', 'index.html'), 'utf8')
  .replace('app.css', styleName)
  .replace('app.js', scriptName);
files.set(scriptName, script);
files.set(styleName, style);
files.set('index.html', Buffer.from(page));
files.set('licenses.txt', Buffer.from(licences()));
write();

async function bundled() {
  const result = await build({
    absWorkingDir: web,
    entryPoints: { app: 'src/main.tsx' },
    outdir: 'out',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: ['es2022'],
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    logLevel: 'warning',
  });
  const output = (end) => {
    const file = result.outputFiles.find((file) => file.path.endsWith(end));
    if (!file) throw new Error(`esbuild made no ${end}`);
    return Buffer.from(file.contents);
  };
  return [output('.js'), output('.css')];
}

function named(stem, ending, bytes) {
  return `${stem}-${sha256(bytes).slice(0, 16)}.${ending}`;
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

// The notices that the licences of what is linked in ask for.
function licences() {
  return linked
    .map((name) => {
      const folder = join(web, 'node_modules', name);
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
      if (!file) throw new Error(`${name} has no licence file`);
      return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    })
    .join('\n----\n\n');
}

function write() {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  const manifest = { script: scriptName, style: styleName, page: 'index.html', files: {} };
  for (const name of [...files.keys()].sort()) {
    const bytes = files.get(name);
    const packed = brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    });
    writeFileSync(join(dist, name), bytes);
    writeFileSync(join(dist, `${name}.br`), packed);
    manifest.files[name] = { bytes: bytes.length, sha256: sha256(bytes), br_bytes: packed.length, br_sha256: sha256(packed) };
    console.log(`${name}: ${bytes.length} bytes, ${packed.length} compressed`);
  }
  writeFileSync(join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
