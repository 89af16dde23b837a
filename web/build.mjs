// Bundles the map page into one file, dist/page.html, with a gap (@@DATA@@ and friends) that the program fills.
// Everything is inlined: MapLibre, its worker, the styles. The page never asks the network for anything.
import { readFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts) => path.join(here, ...parts);

const common = {
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  target: ['es2022', 'chrome100', 'firefox113', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'none',
  // A classic script has no import.meta; MapLibre only uses it to guess its worker's address, which we set.
  define: { 'import.meta.url': '""' },
};

async function bundle(entry, options = {}) {
  const result = await build({ ...common, ...options, entryPoints: [entry], outdir: at('dist') });
  const file = (ending) => result.outputFiles.find((one) => one.path.endsWith(ending))?.text ?? '';
  return { script: file('.js'), styles: file('.css') };
}

/** JavaScript that may stand inside a <script> element: nothing in it ends the element or opens a comment. */
function inScript(text) {
  return text.replaceAll(/<\/(script)/gi, '<\\/$1').replaceAll('<!--', '<\\!--');
}

const page = await bundle(at('src', 'main.ts'));
const worker = await bundle(at('node_modules', 'maplibre-gl', 'dist', 'maplibre-gl-worker.mjs'));
const template = await readFile(at('src', 'page.html'), 'utf8');
const parts = {
  STYLES: page.styles.replaceAll(/<\/(style)/gi, '<\\/$1'),
  WORKER: inScript(worker.script),
  SCRIPT: inScript(page.script),
};
const html = template.replaceAll(/@@(STYLES|WORKER|SCRIPT)@@/g, (_, name) => parts[name]);

for (const gap of ['@@LANG@@', '@@CONNECT@@', '@@EDITOR@@', '@@TITLE@@', '@@DATA@@', '@@TILES@@']) {
  if (html.split(gap).length !== 2) throw new Error(`${gap} must stand exactly once in the page`);
}
await mkdir(at('dist'), { recursive: true });
await writeFile(at('dist', 'page.html.part'), html);
await rename(at('dist', 'page.html.part'), at('dist', 'page.html'));
