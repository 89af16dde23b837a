// The editor's panel: pick buildings, see what a move does to the counts, ask the server to do it. Counts are sums of
// what the map shows; whether an edit is allowed, and what follows from it, only the server knows.
import type { FilterSpecification, GeoJSONSource, LayerSpecification, Map as MapLibre, MapGeoJSONFeature } from 'maplibre-gl';
import { collection, LAYERS, type Collection, type LayerName, type PageData, type Properties } from './data';
import { element, whole } from './cards';
import { isArea, isPoint, labelPoints, origin } from './style';
import type { Say, Word } from './words';

/** What the server answers to an edit. */
interface Answer {
  what?: string;
  warnings?: string[];
  changed?: string[];
  moved?: Record<string, string | null>;
  grids?: Collection;
  stations_changed?: boolean;
  undo: number;
  redo: number;
  unsaved: number;
  plan_hash: string;
  file?: string;
}

interface Picked { households: number; grid: string; community: string; at: [number, number] }
interface Wishes { redraw(): void; release(): void }

const PICKED = '#e0218a';
const FILLS = ['buildings-fill', 'buildings-point'];

export class Editor {
  private readonly picked = new Map<string, Picked>();
  private readonly moved = new Map<string, string | null>();
  private readonly box = element('div', 'lasso');
  private target = '';
  private active = '';
  private why = '';
  private boxing = false;
  private busy = false;
  private note: { text: string; kind: 'done' | 'warning' | 'error' }[] = [];
  private state: Answer = { undo: 0, redo: 0, unsaved: 0, plan_hash: '' };
  on = true;

  constructor(
    private readonly map: MapLibre, private readonly data: PageData, private readonly say: Say,
    private readonly panel: HTMLElement, private readonly wishes: Wishes,
  ) {
    document.body.append(this.box);
    this.box.hidden = true;
    map.once('style.load', () => this.addLayers());
    this.listen();
    void this.ask('state', 'GET');
    this.draw();
  }

  /** What a feature says now: a building keeps its old grid in the tiles until the page is opened again. */
  current(name: LayerName, of: Properties): Properties {
    const id = String(of.id ?? '');
    return name === 'buildings' && this.moved.has(id) ? { ...of, grid: this.moved.get(id) ?? null } : of;
  }

  private addLayers(): void {
    const from = origin(this.data, 'buildings');
    const none = ['==', ['get', 'id'], ''] as unknown as FilterSpecification;
    const add = (one: unknown) => this.map.addLayer(one as LayerSpecification, this.map.getLayer('stations') ? 'stations' : undefined);
    add({ id: 'picked-fill', type: 'fill', ...from, filter: none, paint: { 'fill-color': PICKED, 'fill-opacity': 0.55 } });
    add({ id: 'picked-line', type: 'line', ...from, filter: none, paint: { 'line-color': PICKED, 'line-width': 2 } });
    add({ id: 'picked-point', type: 'circle', ...from, filter: none, paint: { 'circle-color': PICKED, 'circle-radius': 6, 'circle-stroke-color': '#fff', 'circle-stroke-width': 1.5 } });
    for (const [id, color] of [['source', PICKED], ['target', '#0b6bcb']] as const) {
      add({ id: `edit-${id}`, type: 'line', source: 'grids', filter: ['==', ['get', 'code'], ''], layout: { 'line-join': 'round' }, paint: { 'line-color': color, 'line-width': 4, 'line-opacity': 0.9 } });
    }
    this.show();
  }

  /** Draws what is picked. */
  private show(): void {
    if (!this.map.getLayer('picked-fill')) return;
    const isPicked = ['in', ['get', 'id'], ['literal', [...this.picked.keys()]]];
    const filter = (extra: unknown) => ['all', extra, isPicked] as unknown as FilterSpecification;
    this.map.setFilter('picked-fill', filter(isArea));
    this.map.setFilter('picked-line', filter(isArea));
    this.map.setFilter('picked-point', filter(isPoint));
    const codes = this.picked.size ? [...new Set([...this.picked.values()].map((one) => one.grid))] : [this.active];
    this.map.setFilter('edit-source', ['in', ['get', 'code'], ['literal', codes]] as unknown as FilterSpecification);
    this.map.setFilter('edit-target', ['==', ['get', 'code'], this.target] as unknown as FilterSpecification);
  }

  private listen(): void {
    this.map.boxZoom.disable();
    this.map.on('click', (event) => { if (this.on) this.click(event.point); });
    const canvas = this.map.getCanvasContainer();
    canvas.addEventListener('mousedown', (event) => {
      if (this.on && event.button === 0 && (event.shiftKey || this.boxing)) this.drag(event);
    }, true);
    window.addEventListener('keydown', (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === 'Escape') this.clear();
      if (typing || !(event.ctrlKey || event.metaKey)) return;
      const key = event.key.toLowerCase();
      if (key === 'z' && !event.shiftKey) { event.preventDefault(); void this.ask('undo'); }
      if (key === 'y' || (key === 'z' && event.shiftKey)) { event.preventDefault(); void this.ask('redo'); }
      if (key === 's') { event.preventDefault(); void this.save(); }
    });
    window.addEventListener('beforeunload', (event) => { if (this.state.unsaved) event.preventDefault(); });
  }

  private buildingsAt(where: { x: number; y: number } | [[number, number], [number, number]]): MapGeoJSONFeature[] {
    const place = Array.isArray(where) ? where : [where.x, where.y] as [number, number];
    return this.map.queryRenderedFeatures(place, { layers: FILLS.filter((id) => this.map.getLayer(id)) });
  }

  private click(point: { x: number; y: number }): void {
    const building = this.buildingsAt(point)[0] ?? this.buildingsAt([[point.x - 4, point.y - 4], [point.x + 4, point.y + 4]])[0];
    if (building) { this.toggle(building); return; }
    const grid = this.map.queryRenderedFeatures([point.x, point.y], { layers: ['grids-fill'] })[0];
    if (!grid) return;
    const code = String(grid.properties.code);
    if (this.picked.size || (this.active && this.active !== code && this.sisters(this.active).includes(code))) this.target = code;
    else { this.active = this.active === code ? '' : code; this.target = ''; }
    this.changed();
  }

  private toggle(feature: MapGeoJSONFeature): void {
    const id = String(feature.properties.id);
    if (this.picked.has(id)) this.picked.delete(id); else this.pick(feature);
    this.changed();
  }

  private pick(feature: MapGeoJSONFeature): void {
    const of = this.current('buildings', feature.properties as Properties);
    if (!of.grid) return;
    const centre = feature.geometry.type === 'Point' ? feature.geometry.coordinates : (feature.geometry as GeoJSON.Polygon).coordinates.flat(Infinity).slice(0, 2);
    this.picked.set(String(of.id), {
      households: Number(of.households ?? 0), grid: String(of.grid), community: String(of.community), at: [Number(centre[0]), Number(centre[1])],
    });
  }

  private drag(start: MouseEvent): void {
    start.preventDefault(); start.stopPropagation();
    const frame = this.map.getCanvas().getBoundingClientRect();
    const corner = (event: MouseEvent): [number, number] => [event.clientX - frame.left, event.clientY - frame.top];
    const from = corner(start);
    const sides = (to: [number, number]) => ({ left: Math.min(from[0], to[0]), top: Math.min(from[1], to[1]), width: Math.abs(from[0] - to[0]), height: Math.abs(from[1] - to[1]) });
    const move = (event: MouseEvent) => {
      this.box.hidden = false;
      for (const [side, value] of Object.entries(sides(corner(event)))) this.box.style.setProperty(side, `${value}px`);
    };
    const end = (event: MouseEvent) => {
      window.removeEventListener('mousemove', move);
      window.removeEventListener('mouseup', end);
      this.box.hidden = true;
      const { left, top, width, height } = sides(corner(event));
      if (width + height < 6) return;
      for (const feature of this.buildingsAt([[left, top], [left + width, top + height]])) this.pick(feature);
      this.boxing = false;
      this.changed();
    };
    window.addEventListener('mousemove', move);
    window.addEventListener('mouseup', end);
  }

  clear(): void {
    this.picked.clear();
    this.target = ''; this.active = ''; this.boxing = false;
    this.changed();
  }

  private changed(): void {
    const communities = new Set([...this.picked.values()].map((one) => one.community));
    if (this.target && communities.size && !communities.has(String(this.grid(this.target)?.community))) this.target = '';
    this.show();
    this.draw();
  }

  private grid(code: string): Properties | undefined {
    return collection(this.data, 'grids').features.find((one) => one.properties.code === code)?.properties;
  }

  /** Other grids of a grid's community. */
  private sisters(code: string): string[] {
    const community = this.grid(code)?.community;
    return collection(this.data, 'grids').features.map((one) => one.properties)
      .filter((one) => one.community === community && one.code !== code).map((one) => String(one.code));
  }

  /** Grids that may take what is picked, nearest first. */
  private targets(): Properties[] {
    const all = [...this.picked.values()];
    const communities = new Set(all.length ? all.map((one) => one.community) : [this.grid(this.active)?.community]);
    if (communities.size !== 1) return [];
    const own = this.grid(this.active);
    const sum = (axis: 0 | 1) => all.reduce((total, one) => total + one.at[axis], 0) / all.length;
    const [x, y] = all.length ? [sum(0), sum(1)] : [Number(own?.label_x), Number(own?.label_y)];
    const from = new Set(all.length ? all.map((one) => one.grid) : [this.active]);
    const distance = (of: Properties) => Math.hypot((Number(of.label_x) - x) * Math.cos(y * Math.PI / 180), Number(of.label_y) - y);
    return collection(this.data, 'grids').features.map((one) => one.properties)
      .filter((one) => communities.has(one.community) && !(from.size === 1 && from.has(String(one.code))))
      .sort((a, b) => distance(a) - distance(b));
  }

  private async ask(path: string, method: 'GET' | 'POST' = 'POST', body?: unknown): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true; this.draw();
    try {
      const response = await fetch(path, method === 'GET' ? {} : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });
      const answer = await response.json() as Answer & { error?: string };
      if (!response.ok) { this.note = [{ text: String(answer.error), kind: 'error' }]; return false; }
      this.take(answer);
      return true;
    } catch {
      this.note = [{ text: this.say('edit_gone'), kind: 'error' }];
      return false;
    } finally {
      this.busy = false; this.draw();
    }
  }

  private take(answer: Answer): void {
    this.state = answer;
    for (const [id, grid] of Object.entries(answer.moved ?? {})) this.moved.set(id, grid);
    for (const feature of collection(this.data, 'buildings').features) {
      const grid = answer.moved?.[String(feature.properties.id)];
      if (grid !== undefined) feature.properties.grid = grid;
    }
    if (answer.grids) {
      // Colours stay, so that the eye finds its place; the server would mix them anew.
      for (const { properties: of } of answer.grids.features) of.color = this.grid(String(of.code))?.color ?? of.color ?? 0;
      this.replace('grids', answer.grids);
      const of = this.data.figures;
      of.grids = answer.grids.features.length;
      of.grids_in_range = answer.grids.features.filter((one) => one.properties.in_range === true).length;
      this.picked.clear();
      this.target = '';
      if (!this.grid(this.active)) this.active = '';
      this.show();
      this.wishes.release();
      this.wishes.redraw();
    }
    const warnings = (answer.warnings ?? []).filter((text) => (answer.changed ?? []).some((code) => text.includes(code)));
    if (answer.what) this.note = [{ text: this.spoken(answer.what), kind: 'done' }, ...warnings.map((text) => ({ text: this.spoken(text), kind: 'warning' as const }))];
  }

  /** Messages come as Chinese with the English in brackets behind it. */
  private spoken(text: string): string {
    const [, chinese, english] = /^(.*?) \(([a-z].*)\)$/s.exec(text) ?? [];
    if (!chinese || !english) return text;
    return this.data.lang === 'zh' ? chinese : english;
  }

  private replace(name: LayerName, features: Collection): void {
    this.data.layers[name] = features;
    const set = (source: string, value: Collection) => (this.map.getSource(source) as GeoJSONSource | undefined)?.setData(value as GeoJSON.GeoJSON);
    if (!this.data.tiled.includes(name)) set(name, features);
    if (this.map.getSource(`${name}-labels`)) set(`${name}-labels`, labelPoints(features));
  }

  private async save(): Promise<void> {
    if (!await this.ask('save')) return;
    this.note = [{ text: this.say('edit_saved'), kind: 'done' }];
    // Coverage was measured again: everything on the map is as the file has it now.
    const next = await (await fetch('data')).json() as PageData;
    const { layers, tiled: _tiled, ...head } = next;
    Object.assign(this.data, head);
    for (const name of LAYERS) this.replace(name, layers[name] ?? { type: 'FeatureCollection', features: [] });
    this.wishes.redraw();
    this.draw();
  }

  private edit(body: Record<string, unknown>): void {
    void this.ask('edit', 'POST', this.why.trim() ? { ...body, why: this.why.trim() } : body);
  }

  // ---- the panel ----

  private button(word: Word, act: () => void, enabled = true, className = ''): HTMLButtonElement {
    const made = element('button', className, this.say(word));
    made.type = 'button'; made.disabled = !enabled || this.busy; made.id = `do-${word}`;
    made.addEventListener('click', act);
    return made;
  }

  private draw(): void {
    const { say, state } = this;
    const unsaved = state.unsaved ? ` (${state.unsaved})` : '';
    const save = this.button('edit_save', () => void this.save(), 0 < state.unsaved, 'primary');
    save.append(unsaved);
    const bar = element('div', 'bar-buttons',
      this.button('edit_undo', () => void this.ask('undo'), 0 < state.undo), this.button('edit_redo', () => void this.ask('redo'), 0 < state.redo), save);
    const switcher = element('label', 'edit-on', this.tick(), say('edit_on'));
    const parts: Node[] = [element('header', '', element('h2', '', say('edit_title')), switcher), bar];
    if (this.on) parts.push(...(this.picked.size ? this.ofPicked() : this.active ? this.ofGrid() : [this.hint()]));
    if (this.note.length) parts.push(element('div', 'notes', ...this.note.map(({ text, kind }) => element('p', kind, text))));
    this.panel.replaceChildren(...parts);
    this.panel.classList.toggle('busy', this.busy);
  }

  private tick(): HTMLInputElement {
    const tick = element('input');
    tick.type = 'checkbox'; tick.checked = this.on;
    tick.addEventListener('change', () => { this.on = tick.checked; this.clear(); this.wishes.release(); });
    return tick;
  }

  private hint(): HTMLElement {
    return element('div', 'hint', element('p', '', this.say('edit_hint')), this.boxButton());
  }

  private boxButton(): HTMLButtonElement {
    const made = this.button('edit_box', () => { this.boxing = !this.boxing; this.draw(); });
    made.setAttribute('aria-pressed', String(this.boxing));
    return made;
  }

  private ofPicked(): Node[] {
    const all = [...this.picked.values()];
    const households = all.reduce((sum, one) => sum + one.households, 0);
    const head = element('div', 'picked-head',
      element('b', '', `${this.say('edit_picked')} ${all.length} ${this.say('edit_units')} · ${whole(households)} ${this.say('hu')}`),
      this.boxButton(), this.button('edit_clear', () => this.clear()));
    const communities = new Set(all.map((one) => one.community));
    if (1 < communities.size) return [head, element('div', 'notes', element('p', 'error', this.say('edit_two_communities')))];
    const leaving = new Map<string, number>();
    for (const one of all) if (one.grid !== this.target) leaving.set(one.grid, (leaving.get(one.grid) ?? 0) + one.households);
    const arriving = [...leaving.values()].reduce((sum, n) => sum + n, 0);
    const changes: [string, number][] = [...leaving].map(([code, n]) => [code, -n]);
    if (this.target) changes.push([this.target, arriving]);
    const buildings = [...this.picked.keys()];
    return [
      head, this.counts(changes), this.choose(),
      element('div', 'bar-buttons',
        this.button('edit_move', () => this.edit({ op: 'move', buildings, to: this.target }), this.target !== '' && 0 < leaving.size, 'primary'),
        this.button('edit_new', () => this.edit({ op: 'new_grid', buildings }))),
      this.reason(),
    ];
  }

  /** What becomes of the grids concerned: now, then, and by how much that is off the target. */
  private counts(changes: [string, number][]): HTMLElement {
    const table = element('table', 'counts', element('tr', '', element('th', '', this.say('grid')), element('th', '', this.say('edit_now')), element('th', '', this.say('edit_then')), element('th', '', this.say('deviation'))));
    for (const [code, change] of changes) {
      const of = this.grid(code) ?? {};
      const now = Number(of.households ?? 0);
      const then = now + change;
      const target = Number(of.target ?? 0);
      const off = target ? `${((then / target - 1) * 100).toFixed(1)}%` : '–';
      const inRange = of.low === undefined || of.low === null || (Number(of.low) <= then && then <= Number(of.high));
      const row = element('tr', inRange ? 'in' : 'out',
        element('td', '', `${of.label ?? code}${of.locked ? ' 🔒' : ''}`), element('td', '', whole(now)), element('td', '', whole(then)), element('td', '', off));
      row.title = code;
      row.dataset.code = code;
      table.append(row);
    }
    return table;
  }

  private choose(): HTMLElement {
    const select = element('select');
    select.id = 'edit-target';
    select.append(new Option(this.say('edit_choose'), ''));
    for (const of of this.targets()) {
      select.append(new Option(`${of.label} · ${whole(of.households)} ${this.say('hu')} · ${of.name ?? ''}${of.locked ? ' 🔒' : ''}`, String(of.code), false, of.code === this.target));
    }
    select.addEventListener('change', () => { this.target = select.value; this.changed(); });
    return element('label', 'field', element('span', '', this.say('edit_to')), select);
  }

  private reason(): HTMLElement {
    const input = element('input');
    input.type = 'text'; input.value = this.why; input.maxLength = 200; input.placeholder = this.say('edit_why_hint');
    input.addEventListener('input', () => { this.why = input.value; });
    return element('label', 'field', element('span', '', this.say('edit_why')), input);
  }

  private ofGrid(): Node[] {
    const of = this.grid(this.active);
    if (!of) return [this.hint()];
    const range = of.low === undefined || of.low === null ? this.say('exclusive') : `${of.low}–${of.high}`;
    const state = element('p', of.in_range ? 'in' : 'out', `${whole(of.households)} ${this.say('hu')} · ${range} · ${this.say(of.in_range ? 'in_range' : 'out_of_range')}${of.locked ? ` · ${this.say('locked')}` : ''}`);
    const grid = this.active;
    const changes: [string, number][] = this.target
      ? [[this.target, Number(of.households)]] : [];
    return [
      element('div', 'picked-head', element('b', '', `${of.name ?? grid}`), this.button('edit_clear', () => this.clear())),
      element('p', 'code', grid), state,
      element('div', 'bar-buttons',
        of.locked ? this.button('edit_unlock', () => this.edit({ op: 'unlock', grid })) : this.button('edit_lock', () => this.edit({ op: 'lock', grid })),
        this.button('edit_split', () => this.edit({ op: 'split', grid }), !of.locked)),
      this.choose(),
      ...(changes.length ? [this.counts(changes)] : []),
      element('div', 'bar-buttons', this.button('edit_merge', () => this.edit({ op: 'merge', grids: [this.target, grid] }), this.target !== '' && !of.locked)),
      this.reason(),
    ];
  }
}
