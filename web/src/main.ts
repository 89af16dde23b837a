// The page: unpack the data, draw the map, wire the panel and the cards to it.
import {
  AttributionControl, Map as MapLibre, NavigationControl, ScaleControl, addProtocol, setWorkerUrl,
  type FilterSpecification, type MapGeoJSONFeature, type StyleSpecification,
} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import { PMTiles, Protocol, type RangeResponse, type Source } from 'pmtiles';
import './page.css';
import { bytesOf, boxOf, collection, readData, type Box, type Feature, type LayerName, type PageData, type Properties } from './data';
import { element, fillCard } from './cards';
import { FONT, addSymbols } from './icons';
import { Editor } from './editor';
import { coverageBars, drawPanel, keyFigures, type State } from './panel';
import { searchBox } from './search';
import { changing, circleFilter, membersOf, shownIn, style, styleLayers, uncoveredFilter, type View } from './style';
import { speaker, type Say } from './words';

declare global { interface Window { gridplan?: { map: MapLibre; data: PageData; state: State; editor?: Editor } } }

const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
};

/** Says in words, and with the key figures if they can be read, why there is no map. */
function sayInWords(text: string, extra: HTMLElement[] = []): void {
  const words = byId('words');
  words.className = 'words';
  words.replaceChildren(element('p', '', text), ...extra);
  words.hidden = false;
}

class SliceSource implements Source {
  constructor(private readonly bytes: ArrayBuffer) {}
  getKey(): string { return 'plan'; }
  async getBytes(offset: number, length: number): Promise<RangeResponse> { return { data: this.bytes.slice(offset, offset + length) }; }
}

async function addTiles(): Promise<void> {
  const protocol = new Protocol();
  protocol.add(new PMTiles(new SliceSource(await bytesOf(byId('tiles').textContent ?? ''))));
  addProtocol('pmtiles', protocol.tile);
}

function hasWebGl2(): boolean {
  try { return document.createElement('canvas').getContext('webgl2') !== null; } catch { return false; }
}

/** Room that the panel takes from the map, so that what is fitted stays in sight. */
function padding(): { left: number; right: number; top: number; bottom: number } {
  const panel = byId('panel');
  const wide = window.innerWidth > 760 && !document.body.classList.contains('folded');
  return { left: wide ? panel.offsetWidth + 36 : 24, right: 60, top: 36, bottom: 48 };
}

function createMap(data: PageData, say: Say): MapLibre {
  setWorkerUrl(URL.createObjectURL(new Blob([byId('worker').textContent ?? ''], { type: 'text/javascript' })));
  const map = new MapLibre({
    container: 'map', style: style(data, say) as StyleSpecification, bounds: data.bounds, fitBoundsOptions: { padding: padding() },
    localIdeographFontFamily: FONT, attributionControl: false, maxZoom: 20, minZoom: 7, dragRotate: false, pitchWithRotate: false, touchPitch: false,
    canvasContextAttributes: { preserveDrawingBuffer: true }, fadeDuration: 120,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
  map.addControl(new ScaleControl({ unit: 'metric', maxWidth: 130 }), 'bottom-right');
  if (data.attribution) map.addControl(new AttributionControl({ customAttribution: data.attribution, compact: false }), 'bottom-right');
  addButtons(map, data, say);
  return map;
}

function addButtons(map: MapLibre, data: PageData, say: Say): void {
  const button = (path: string, title: string, act: () => void) => {
    const made = element('button');
    made.innerHTML = `<svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"><path d="${path}"/></svg>`;
    made.type = 'button'; made.title = title; made.setAttribute('aria-label', title);
    made.addEventListener('click', act);
    return made;
  };
  const box = element('div', 'maplibregl-ctrl maplibregl-ctrl-group tools',
    button('M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4', say('whole'), () => map.fitBounds(data.bounds, { padding: padding() })),
    button('M3 4h14v12H3zM8 4v12', say('panel'), () => document.body.classList.toggle('folded')),
    button('M6 7V3h8v4M5 14H3V8h14v6h-2M6 12h8v5H6z', say('print'), () => window.print()));
  map.addControl({ onAdd: () => box, onRemove: () => box.remove() }, 'top-right');
}

/** Applies the state to the map: visibility, the paint that changes with the view, the filters of the method. */
function apply(map: MapLibre, data: PageData, say: Say, state: State, station: string): void {
  const layers = styleLayers(data, say);
  for (const name of Object.keys(NAMES) as LayerName[]) {
    for (const id of membersOf(name, layers)) {
      map.setLayoutProperty(id, 'visibility', state.shown.has(name) ? 'visible' : 'none');
    }
  }
  for (const [id, property, value] of changing(data, state.view, state.method)) map.setPaintProperty(id, property as never, value as never);
  for (const id of ['service_circles-fill', 'service_circles-line']) map.setFilter(id, circleFilter(state.method, station));
  map.setFilter('uncovered', uncoveredFilter(state.method));
}

const NAMES: Record<LayerName, true> = {
  communities: true, compounds: true, barriers: true, streets: true, buildings: true, grids: true, service_circles: true,
  uncovered: true, gates: true, premises: true, stations: true, findings: true,
};

const HOVERED: [string, LayerName, number][] = [
  ['stations', 'stations', 0], ['findings', 'findings', 0], ['premises', 'premises', 0], ['gates', 'gates', 0], ['uncovered', 'uncovered', 0],
  ['buildings-fill', 'buildings', 14.6], ['buildings-point', 'buildings', 14.6],
  ['grids-fill', 'grids', 0], ['buildings-fill', 'buildings', 0], ['communities-land', 'communities', 0],
];

interface Hit { name: LayerName; feature: MapGeoJSONFeature }

/** The topmost thing under the pointer that has a card; buildings only where they are large enough to aim at. */
function hitAt(map: MapLibre, point: { x: number; y: number }): Hit | null {
  const box: [[number, number], [number, number]] = [[point.x - 3, point.y - 3], [point.x + 3, point.y + 3]];
  const near = map.queryRenderedFeatures(box);
  const exact = map.queryRenderedFeatures([point.x, point.y]);
  for (const [id, name, zoom] of HOVERED) {
    if (map.getZoom() < zoom) continue;
    const among = id.endsWith('-fill') || id.endsWith('-land') ? exact : near;
    const feature = among.find((one) => one.layer.id === id);
    if (feature) return { name, feature };
  }
  return null;
}

class Cards {
  private readonly hover = byId('hover');
  private readonly pinned = byId('pinned');
  constructor(
    private readonly map: MapLibre, private readonly data: PageData, private readonly say: Say,
    private readonly onStation: (code: string) => void, private readonly editor: () => Editor | undefined,
  ) {
    map.on('mousemove', (event) => this.move(event.point));
    map.on('mouseout', () => { this.hover.hidden = true; });
    map.on('click', (event) => {
      if (this.editor()?.on) return;
      const hit = hitAt(map, event.point);
      if (hit) this.pin(hit.name, hit.feature.properties as Properties, hit.feature.id); else this.release();
    });
    window.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.release(); });
  }

  private move(point: { x: number; y: number }): void {
    const found = hitAt(this.map, point);
    // Who picks buildings needs the ground free of large cards.
    const hit = this.editor()?.on && (found?.name === 'grids' || found?.name === 'communities') ? null : found;
    this.map.getCanvas().style.cursor = hit ? 'pointer' : '';
    this.hover.hidden = !hit;
    if (!hit) return;
    const of = hit.feature.properties as Properties;
    fillCard(this.hover, this.data, this.say, hit.name, this.editor()?.current(hit.name, of) ?? of);
    const { offsetWidth: width, offsetHeight: height } = this.hover;
    const x = point.x + 18 + width > window.innerWidth ? point.x - 18 - width : point.x + 18;
    const y = Math.max(8, Math.min(point.y + 14, window.innerHeight - height - 8));
    this.hover.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  pin(name: LayerName, of: Properties, id: unknown): void {
    fillCard(this.pinned, this.data, this.say, name, this.editor()?.current(name, of) ?? of);
    const close = element('button', 'close', '×');
    close.type = 'button'; close.setAttribute('aria-label', this.say('close'));
    close.addEventListener('click', () => this.release());
    this.pinned.prepend(close);
    this.pinned.hidden = false;
    this.hover.hidden = true;
    this.mark(name, id);
    this.onStation(name === 'stations' ? String(of.code) : '');
  }

  release(): void {
    this.pinned.hidden = true;
    this.mark(null, null);
    this.onStation('');
  }

  private mark(name: LayerName | null, id: unknown): void {
    for (const one of ['grids', 'communities', 'buildings', 'stations'] as const) {
      const wanted = one === name && typeof id === 'number' ? id : -1;
      this.map.setFilter(`${one}-active`, ['==', ['id'], wanted] as unknown as FilterSpecification);
    }
  }
}

function wire(map: MapLibre, data: PageData, say: Say): { state: State; editor?: Editor } {
  const state: State = { view: 'grids', method: 'network_time', shown: shownIn('grids') };
  let station = '';
  let editor: Editor | undefined;
  const hasCircles = (code: string) => collection(data, 'service_circles').features
    .some((one) => one.properties.station === code && one.properties.method === state.method);
  const refresh = () => apply(map, data, say, state, station);
  const cards = new Cards(map, data, say, (code) => {
    const wanted = code && hasCircles(code) ? code : '';
    if (wanted !== station) { station = wanted; refresh(); }
  }, () => editor);
  const search = searchBox(data, say, (name: LayerName, feature: Feature) => {
    const box = boxOf(feature.geometry);
    if (box) map.fitBounds(box, { padding: padding(), maxZoom: 17, duration: 700 });
    cards.pin(name, feature.properties, feature.id);
  });
  const draw = () => drawPanel(byId('panel'), data, say, state, search, {
    view(view: View) { state.view = view; state.shown = shownIn(view); refresh(); draw(); },
    method(method) { state.method = method; refresh(); draw(); },
    layer(name, shown) { if (shown) state.shown.add(name); else state.shown.delete(name); refresh(); },
  });
  draw();
  map.once('style.load', () => { addSymbols(map, data.lang); refresh(); });
  if (document.body.dataset.editor === 'true') {
    const panel = byId('editor');
    panel.hidden = false;
    editor = new Editor(map, data, say, panel, { redraw: () => { refresh(); draw(); }, release: () => cards.release() });
  }
  return { state, editor };
}

function printable(map: MapLibre): void {
  const picture = byId('print-map') as HTMLImageElement;
  window.addEventListener('beforeprint', () => { picture.src = map.getCanvas().toDataURL('image/png'); });
}

async function start(): Promise<void> {
  const lang = document.documentElement.lang.startsWith('zh') ? 'zh' : 'en';
  const say = speaker(lang);
  if (typeof DecompressionStream === 'undefined') return sayInWords(say('no_unzip'));
  let data: PageData;
  try {
    data = await readData(byId('data').textContent ?? '');
    if (data.tiled.length) await addTiles();
  } catch (error) {
    return sayInWords(`${say('broken')} (${String(error)})`);
  }
  if (!hasWebGl2()) {
    return sayInWords(say('no_webgl'), [keyFigures(data, say), ...(data.shares.length ? [coverageBars(data, say, 'network_time')] : [])]);
  }
  const map = createMap(data, say);
  window.gridplan = { map, data, ...wire(map, data, say) };
  printable(map);
}

export type { Box };
void start();
