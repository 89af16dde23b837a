// The map page in a real browser: what a planner sees, and that nothing leaves the computer.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { filledPage, fixture, here, idle, launch, open } from './browser.mjs';

let browser;
let data;
before(async () => { browser = await launch(); data = await fixture(); });
after(async () => { await browser?.close(); });

/** A place on the screen inside the feature whose property has this value. */
async function screenOf(tab, layer, key, value) {
  return tab.evaluate(([layer, key, value]) => {
    const { map, data } = window.gridplan;
    const { properties, geometry } = data.layers[layer].features.find((one) => one.properties[key] === value);
    const at = geometry.type === 'Point' ? geometry.coordinates : [properties.label_x, properties.label_y];
    const { x, y } = map.project(at);
    return { x, y };
  }, [layer, key, value]);
}

const rendered = (tab, layer) => tab.evaluate((id) => window.gridplan.map.queryRenderedFeatures({ layers: [id] }).length, layer);
const text = (tab, selector) => tab.locator(selector).innerText();

describe('the map page', () => {
  let page;
  let tab;
  before(async () => {
    page = await open(browser, await filledPage(data));
    tab = page.tab;
    await idle(tab);
  });
  after(async () => { await page.close(); });

  test('asks nobody for anything and has nothing to complain about', () => {
    const outside = page.asked.filter((url) => !/^(file|blob|data):/.test(url));
    assert.deepEqual(outside, []);
    assert.deepEqual(page.complaints(), []);
  });

  test('draws every kind of thing', async () => {
    for (const layer of ['communities-line', 'compounds-fill', 'water-line', 'water-fill', 'streets-arterial', 'streets-lane', 'buildings-fill',
      'buildings-point', 'grids-fill', 'grids-line', 'stations', 'grids-label', 'communities-label']) {
      assert.ok(0 < await rendered(tab, layer), `${layer} draws nothing`);
    }
  });

  test('neighbouring grids have different colours', () => {
    const grids = data.layers.grids.features;
    const corners = (grid) => new Set(grid.geometry.coordinates.flat(grid.geometry.type === 'Polygon' ? 1 : 2).map(String));
    for (const one of grids) for (const other of grids) {
      const touch = one.id < other.id && [...corners(one)].some((corner) => corners(other).has(corner));
      if (touch) assert.notEqual(one.properties.color, other.properties.color, `${one.properties.code} and ${other.properties.code}`);
    }
  });

  test('a card shows the counts of the grid under the pointer', async () => {
    const grid = data.layers.grids.features[2].properties;
    const { x, y } = await screenOf(tab, 'grids', 'code', grid.code);
    await tab.mouse.move(x - 30, y - 25);
    const card = await text(tab, '#hover');
    for (const expected of [grid.code, `${grid.households} 户`, '偏差', '楼栋', '路网时间', '15 分钟']) assert.ok(card.includes(expected), `${expected} is not in: ${card}`);
  });

  test('a click pins the card and Escape takes it away', async () => {
    const grid = data.layers.grids.features[6].properties;
    const { x, y } = await screenOf(tab, 'grids', 'code', grid.code);
    await tab.mouse.click(x - 20, y - 20);
    const card = await text(tab, '#pinned');
    assert.ok(card.includes(grid.code) && card.includes(grid.reason) && card.includes('不达标'), card);
    await tab.keyboard.press('Escape');
    assert.ok(await tab.locator('#pinned').isHidden());
  });

  test('the card of a station tells tier, capacity and reason', async () => {
    const station = data.layers.stations.features.find((one) => one.properties.status === 'chosen').properties;
    const { x, y } = await screenOf(tab, 'stations', 'code', station.code);
    await tab.mouse.move(x, y);
    const card = await text(tab, '#hover');
    for (const expected of [station.name, station.tier_name, '新选', station.reason, '容量']) assert.ok(card.includes(expected), `${expected} is not in: ${card}`);
  });

  test('a building tells households, nearest station and minutes once it is large enough to aim at', async () => {
    await tab.evaluate(() => { const { map, data } = window.gridplan; const ring = data.layers.buildings.features[0].geometry.coordinates[0]; map.jumpTo({ center: [(ring[0][0] + ring[2][0]) / 2, (ring[0][1] + ring[2][1]) / 2], zoom: 17 }); });
    await idle(tab);
    const box = await tab.locator('#map').boundingBox();
    await tab.mouse.move(box.width / 2, box.height / 2);
    const building = data.layers.buildings.features[0].properties;
    const card = await text(tab, '#hover');
    for (const expected of [`${building.households} 户`, building.station_name, building.walk_minutes.toFixed(1), building.compound_name]) assert.ok(card.includes(expected), `${expected} is not in: ${card}`);
    await tab.click('.tools button[title="全图"]');
    await idle(tab);
  });

  test('a layer switch takes the layer off the map and brings it back', async () => {
    await tab.uncheck('#switch-streets');
    await idle(tab);
    assert.equal(await rendered(tab, 'streets-arterial'), 0);
    await tab.check('#switch-streets');
    await idle(tab);
    assert.ok(0 < await rendered(tab, 'streets-arterial'));
  });

  test('coverage shows circles by method and who is left out', async () => {
    await tab.click('label:has(> input[value="coverage"])');
    await idle(tab);
    assert.ok(0 < await rendered(tab, 'service_circles-fill'));
    const left = data.layers.uncovered.features.filter((one) => one.properties.band_network_time === 0).length;
    assert.equal(await rendered(tab, 'uncovered'), left);
    const share = data.shares.find((one) => one.method === 'straight_radius' && one.minutes === 15);
    await tab.click('label:has(> input[value="straight_radius"])');
    await idle(tab);
    assert.ok((await text(tab, '.bars-coverage')).includes(`${(share.share * 100).toFixed(1)}%`));
    const methods = await tab.evaluate(() => [...new Set(window.gridplan.map.queryRenderedFeatures({ layers: ['service_circles-fill'] }).map((one) => one.properties.method))]);
    assert.deepEqual(methods, ['straight_radius']);
    await tab.click('label:has(> input[value="network_time"])');
    await tab.click('label:has(> input[value="grids"])');
    await idle(tab);
  });

  test('Chinese labels are drawn, not merely placed', async () => {
    const changed = await tab.evaluate(async () => {
      const { map } = window.gridplan;
      const settled = () => new Promise((done) => { map.once('idle', done); map.triggerRepaint(); });
      const pixels = async () => {
        await settled();
        const canvas = document.createElement('canvas');
        const source = map.getCanvas();
        canvas.width = source.width; canvas.height = source.height;
        const pen = canvas.getContext('2d', { willReadFrequently: true });
        pen.drawImage(source, 0, 0);
        return pen.getImageData(0, 0, canvas.width, canvas.height).data;
      };
      const shown = await pixels();
      map.setLayoutProperty('communities-label', 'visibility', 'none');
      const hidden = await pixels();
      map.setLayoutProperty('communities-label', 'visibility', 'visible');
      let count = 0;
      for (let at = 0; at < shown.length; at += 4) if (Math.abs(shown[at] - hidden[at]) > 60) count += 1;
      return count;
    });
    assert.ok(300 < changed, `only ${changed} pixels belong to the names of the communities`);
  });

  test('the search box finds a grid by the end of its code and a community by name', async () => {
    await tab.fill('#search', '001002003');
    await tab.keyboard.press('Enter');
    await idle(tab);
    assert.ok((await text(tab, '#pinned')).includes('370602001002003'));
    await tab.fill('#search', '河西');
    assert.ok((await text(tab, '.search ul')).includes('河西社区'));
    await tab.fill('#search', 'no such place');
    assert.ok((await text(tab, '.search ul')).includes('没有找到'));
    await tab.fill('#search', '');
    await tab.keyboard.press('Escape');
  });

  test('the key figures are those of the plan', async () => {
    const figures = await text(tab, '.figures');
    for (const key of ['households', 'grids', 'communities']) assert.ok(figures.includes(data.figures[key].toLocaleString('en-US')), `${key} in ${figures}`);
  });

  test('on paper there is a picture of the map and no buttons', async () => {
    await tab.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
    await tab.emulateMedia({ media: 'print' });
    assert.ok(await tab.locator('#print-map').isVisible());
    assert.ok(await tab.locator('.search').isHidden());
    assert.ok(10000 < (await tab.locator('#print-map').getAttribute('src')).length);
    await tab.emulateMedia({ media: 'screen' });
  });
});

test('without WebGL2 the page says so in words and still tells the key figures', async () => {
  const page = await open(browser, await filledPage(data), {
    prepare: () => {
      const real = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return /webgl/.test(kind) ? null : real.call(this, kind, ...rest); };
    },
  });
  await page.tab.locator('#words').waitFor();
  const words = await text(page.tab, '#words');
  assert.ok(words.includes('WebGL2') && words.includes(data.figures.households.toLocaleString('en-US')), words);
  await page.close();
});

test('a page that was cut short says so', async () => {
  const whole = await filledPage(data);
  const page = await open(browser, whole.replace(/(id="data">.{200})[^<]*/, '$1'));
  await page.tab.locator('#words').waitFor();
  assert.ok((await text(page.tab, '#words')).includes('重新导出'));
  await page.close();
});

test('the English page speaks English', async () => {
  const page = await open(browser, await filledPage({ ...data, lang: 'en' }));
  await idle(page.tab);
  const panel = await text(page.tab, '#panel');
  for (const expected of ['households', 'network time', 'Layers', 'in range']) assert.ok(panel.includes(expected), `${expected} is not in: ${panel}`);
  assert.deepEqual(page.complaints(), []);
  await page.close();
});

test('a plan with nothing but communities opens', async () => {
  const bare = structuredClone(data);
  bare.layers = { communities: bare.layers.communities };
  bare.shares = []; bare.bands = []; bare.household_breaks = []; bare.uncovered_households = {};
  const page = await open(browser, await filledPage(bare));
  await idle(page.tab);
  assert.ok(0 < await rendered(page.tab, 'communities-line'));
  assert.deepEqual(page.complaints(), []);
  await page.close();
});

test('a large plan keeps buildings and streets in tiles inside the page', async () => {
  const large = structuredClone(data);
  large.tiled = ['streets', 'buildings'];
  for (const name of large.tiled) delete large.layers[name];
  const tiles = await readFile(path.join(here, 'fixture.pmtiles'));
  const page = await open(browser, await filledPage(large, tiles.toString('base64')));
  await idle(page.tab);
  for (const layer of ['buildings-fill', 'buildings-point', 'streets-arterial']) assert.ok(0 < await rendered(page.tab, layer), `${layer} draws nothing`);
  const seen = await page.tab.evaluate(() => {
    const { map } = window.gridplan;
    return Object.fromEntries(map.querySourceFeatures('plan-tiles', { sourceLayer: 'buildings' }).map((one) => [one.properties.id, one.properties]));
  });
  const buildings = data.layers.buildings.features;
  assert.equal(Object.keys(seen).length, buildings.length);
  for (const { properties } of buildings) {
    assert.equal(seen[properties.id].households, properties.households);
    assert.equal(seen[properties.id].station_name, properties.station_name);
    assert.equal(seen[properties.id].band_network_time, properties.band_network_time);
  }
  assert.deepEqual(page.asked.filter((url) => !/^(file|blob|data):/.test(url)), []);
  assert.deepEqual(page.complaints(), []);
  await page.close();
});
