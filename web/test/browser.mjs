// A headless Chromium with the network watched, and pages made from the built template and a fixture.
import { gzipSync } from 'node:zlib';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

export const here = path.dirname(fileURLToPath(import.meta.url));
const FLAGS = ['--no-sandbox', '--disable-background-networking', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];

/** Where the system keeps Chromium; GRIDPLAN_CHROMIUM names another. */
function executable() {
  const places = [process.env.GRIDPLAN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error('the web tests need Chromium: apt-get install chromium, or name it in GRIDPLAN_CHROMIUM');
  return found;
}

export function launch() {
  return chromium.launch({ executablePath: executable(), args: FLAGS });
}

/** The page as the program would write it, with `data` inside. */
export async function filledPage(data, tiles = '') {
  const template = await readFile(path.join(here, '..', 'dist', 'page.html'), 'utf8');
  const gaps = {
    LANG: data.lang === 'zh' ? 'zh-CN' : 'en', TITLE: 'fixture',
    CONNECT: '', EDITOR: 'false', DATA: gzipSync(Buffer.from(JSON.stringify(data))).toString('base64'), TILES: tiles,
  };
  return template.replaceAll(/@@(LANG|CONNECT|EDITOR|TITLE|DATA|TILES)@@/g, (_, name) => gaps[name]);
}

export async function fixture() {
  return JSON.parse(await readFile(path.join(here, 'fixture.json'), 'utf8'));
}

/** Opens a page text or file; answers the tab with everything it asked for and complained about. */
export async function open(browser, html, { prepare, width = 1280, height = 860 } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'gridplan-web-'));
  const file = path.join(folder, 'map.html');
  await writeFile(file, html);
  const context = await browser.newContext({ offline: true, viewport: { width, height } });
  const tab = await context.newPage();
  const asked = [];
  const complaints = [];
  tab.on('request', (request) => asked.push(request.url()));
  tab.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
  tab.on('pageerror', (error) => complaints.push(String(error)));
  if (prepare) await tab.addInitScript(prepare);
  await tab.goto(pathToFileURL(file).href);
  return { tab, asked, complaints: () => complaints.filter((text) => !isNoise(text)), close: async () => { await context.close(); await rm(folder, { recursive: true }); } };
}

/** Software drawing in a headless browser complains about its own slowness. */
export const isNoise = (text) => /GPU stall due to ReadPixels|software (WebGL|rendering)|Automatic fallback to software/i.test(text);

/** Waits until the map has drawn everything. */
export async function idle(tab) {
  await tab.waitForFunction(() => window.gridplan?.map.loaded() && window.gridplan.map.areTilesLoaded() && !window.gridplan.map.isMoving(), null, { timeout: 30000 });
  await tab.evaluate(() => new Promise((done) => { const map = window.gridplan.map; map.once('idle', done); map.triggerRepaint(); }));
}
