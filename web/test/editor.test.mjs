// The map editor as a planner uses it: `gridplan serve` on an invented town, in a real browser.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { here, idle, isNoise, launch } from './browser.mjs';

const program = process.env.GRIDPLAN ?? path.join(here, '..', '..', 'target', 'release', 'gridplan');
let browser;
let folder;
let plan;
let server;
let address;

/** The first line that the program prints is the address. */
function serve(file, ...more) {
  const child = spawn(program, ['serve', file, '--quiet', ...more], { stdio: ['ignore', 'pipe', 'ignore'] });
  const first = new Promise((done, fail) => {
    let text = '';
    child.stdout.on('data', (bytes) => { text += bytes; if (text.includes('\n')) done(text.split('\n')[0]); });
    child.on('exit', (code) => fail(new Error(`gridplan serve ended with ${code}`)));
  });
  return { child, first };
}

/** An answer to a request with these headers, which a browser would not let a page set. */
function ask(url, headers) {
  return new Promise((done, fail) => {
    http.get(url, { headers }, (response) => { response.resume(); done(response.statusCode); }).on('error', fail);
  });
}

before(async () => {
  assert.ok(existsSync(program), `there is no ${program}; build it with: make build`);
  browser = await launch();
  folder = await mkdtemp(path.join(tmpdir(), 'gridplan-editor-'));
  const city = path.join(folder, 'city.gpkg');
  execFileSync(program, ['synth', '--households', '3000', '--seed', '4', '-o', city, '--quiet'], { stdio: 'ignore' });
  execFileSync(program, ['plan', city, '-o', folder, '--effort', 'draft', '--quiet'], { stdio: 'ignore' });
  plan = path.join(folder, 'plan.gpkg');
  server = serve(plan, '--lang', 'zh', '--who', '规划员甲');
  address = await server.first;
});
after(async () => {
  await browser?.close();
  server?.child.kill('SIGKILL');
  if (folder) await rm(folder, { recursive: true });
});

const text = (tab, selector) => tab.locator(selector).innerText();

/** A building with households whose grid and whose neighbour are unlocked: its id, both grids, its place in degrees. */
const candidate = (tab) => tab.evaluate(() => {
  const { data } = window.gridplan;
  const grids = data.layers.grids.features.map((one) => one.properties);
  const buildings = data.layers.buildings.features.map((one) => one.properties);
  const locked = new Set([...grids.filter((one) => one.locked).map((one) => one.code), ...buildings.filter((one) => one.locked).map((one) => one.grid)]);
  for (const { geometry, properties: of } of data.layers.buildings.features) {
    const from = grids.find((one) => one.code === of.grid);
    if (!of.households || !from || locked.has(from.code) || from.buildings < 4) continue;
    const to = grids.find((one) => one.community === from.community && one.code !== from.code && !locked.has(one.code));
    if (!to) continue;
    const ring = geometry.type === 'Polygon' ? geometry.coordinates[0] : geometry.coordinates[0][0];
    const middle = [0, 1].map((axis) => (Math.min(...ring.map((at) => at[axis])) + Math.max(...ring.map((at) => at[axis]))) / 2);
    return { id: of.id, households: of.households, from, to, at: middle };
  }
  return null;
});

const gridNow = (tab, code) => tab.evaluate((code) => window.gridplan.data.layers.grids.features.find((one) => one.properties.code === code).properties, code);

describe('the editor', () => {
  let tab;
  let context;
  const asked = [];
  const complaints = [];
  before(async () => {
    context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    tab = await context.newPage();
    tab.on('request', (request) => asked.push(request.url()));
    tab.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
    tab.on('pageerror', (error) => complaints.push(String(error)));
    await tab.goto(address);
    await idle(tab);
  });
  after(async () => { await context.close(); });

  test('a building is moved, the counts follow, undo and redo work, and the file has it after a save', async () => {
    const { id, households, from, to, at } = await candidate(tab);
    await tab.evaluate((at) => window.gridplan.map.jumpTo({ center: at, zoom: 18 }), at);
    await idle(tab);
    const { x, y } = await tab.evaluate((at) => window.gridplan.map.project(at), at);
    await tab.mouse.click(x, y);
    assert.match(await text(tab, '#editor'), new RegExp(`已选 1 栋 · ${households} 户`));
    await tab.selectOption('#edit-target', to.code);
    const row = (code) => text(tab, `#editor .counts tr[data-code="${code}"]`);
    assert.deepEqual((await row(from.code)).split(/\s+/).slice(1, 3).map(Number), [from.households, from.households - households]);
    assert.deepEqual((await row(to.code)).split(/\s+/).slice(1, 3).map(Number), [to.households, to.households + households]);
    await tab.click('#do-edit_move');
    await tab.waitForSelector('#editor .notes .done');
    assert.equal((await gridNow(tab, from.code)).households, from.households - households);
    assert.equal((await gridNow(tab, to.code)).households, to.households + households);
    assert.match(await text(tab, '#do-edit_save'), /保存 \(1\)/);

    await tab.click('#do-edit_undo');
    await tab.waitForFunction(() => document.querySelector('#do-edit_save').disabled && !document.querySelector('#do-edit_redo').disabled);
    assert.equal((await gridNow(tab, from.code)).households, from.households);
    await tab.click('#do-edit_redo');
    await tab.waitForFunction(() => !document.querySelector('#do-edit_save').disabled);
    assert.equal((await gridNow(tab, to.code)).households, to.households + households);

    await tab.click('#do-edit_save');
    await tab.waitForFunction(() => /已保存/.test(document.querySelector('#editor').innerText));
    const undo = execFileSync(program, ['edit', plan, '--undo', '1', '--dry-run', '--json', '--quiet'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const back = JSON.parse(undo);
    assert.match(back.edits[0].what, new RegExp(id));
    assert.deepEqual(back.changed_grids.find((one) => one.code === from.code), { code: from.code, households_before: from.households - households, households: from.households });
  });

  test('a box picks several buildings, and a locked grid refuses them with a reason', async () => {
    await tab.keyboard.press('Escape');
    const { from, to } = await candidate(tab);
    await tab.evaluate((of) => window.gridplan.map.jumpTo({ center: [of.label_x, of.label_y], zoom: 17 }), from);
    await idle(tab);
    await tab.keyboard.down('Shift');
    await tab.mouse.move(480, 250);
    await tab.mouse.down();
    await tab.mouse.move(900, 640, { steps: 4 });
    await tab.mouse.up();
    await tab.keyboard.up('Shift');
    const n = Number(/已选 (\d+) 栋/.exec(await text(tab, '#editor'))?.[1] ?? 0);
    assert.ok(1 < n, `a box picked ${n}`);
    await tab.keyboard.press('Escape');
    // Lock the target by itself, then try to move into it.
    const answer = await tab.evaluate(async ([unit, to]) => {
      const post = (body) => fetch('edit', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      await post({ op: 'lock', grid: to });
      const refused = await post({ op: 'move', buildings: [unit], to });
      return { status: refused.status, body: await refused.json() };
    }, [(await candidate(tab)).id, to.code]);
    assert.equal(answer.status, 422);
    assert.match(answer.body.error, /已锁定/);
  });

  test('asks nobody but its own server and has nothing to complain about', () => {
    const own = new URL(address).origin;
    assert.deepEqual(asked.filter((url) => !url.startsWith(own) && !/^(blob|data):/.test(url)), []);
    const unexpected = complaints.filter((one) => !isNoise(one) && !/status of 422/.test(one));
    assert.deepEqual(unexpected, []);
  });

  test('strangers are turned away on the wire', async () => {
    const { port } = new URL(address);
    assert.equal(await ask(address, {}), 200);
    assert.equal(await ask(address, { host: `evil.example:${port}` }), 403);
    assert.equal(await ask(address, { origin: 'http://evil.example' }), 403);
    assert.equal(await ask(`http://127.0.0.1:${port}/`, {}), 404);
  });
});
