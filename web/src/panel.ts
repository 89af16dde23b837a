// The panel at the side: title, search, views, key figures, layer switches with their legend.
import { METHODS, type LayerName, type Method, type PageData } from './data';
import { element, percent, whole } from './cards';
import { SEVERITY_COLOR, TIERS, symbolImage } from './icons';
import {
  BAND_COLORS, DEVIATION_OVER, DEVIATION_STEPS, EXCLUSIVE_COLOR, GRID_COLORS, HOUSEHOLD_COLORS, IN_RANGE_COLOR,
  NOT_COVERED_COLOR, NO_HOUSEHOLDS_COLOR, STREET_COLORS, VIEWS, WATER_COLOR, bandColor, type View,
} from './style';
import { sayWord, type Say, type Word } from './words';

export interface State { view: View; method: Method; shown: Set<LayerName> }
export interface Wishes {
  view(view: View): void;
  method(method: Method): void;
  layer(name: LayerName, shown: boolean): void;
}

const SWITCHES: LayerName[] = [
  'grids', 'stations', 'service_circles', 'uncovered', 'buildings', 'communities', 'compounds',
  'streets', 'barriers', 'gates', 'premises', 'findings',
];

const swatch = (color: string, className = 'swatch'): HTMLElement => {
  const box = element('i', className);
  box.style.background = color;
  return box;
};
const entry = (mark: Node, text: string): HTMLElement => element('span', 'entry', mark, text);

function ramp(colors: string[], from: string, to: string): HTMLElement {
  return element('span', 'ramp', from, element('span', 'bars', ...colors.map((color) => swatch(color))), to);
}

/** Title, place and what stands behind the numbers. */
function heading(data: PageData, say: Say): HTMLElement {
  return element('header', '', element('h1', '', data.name), element('p', '', say('subtitle')));
}

function figure(value: string, label: string, note = ''): HTMLElement {
  const box = element('div', 'figure', element('b', '', value), element('span', '', label));
  if (note) box.append(element('small', '', note));
  return box;
}

export function keyFigures(data: PageData, say: Say): HTMLElement {
  const of = data.figures;
  const ranged = `${say('in_range')} ${of.grids_in_range}/${of.grids}`;
  const made = [
    of.stations_existing ? `${say('existing')} ${of.stations_existing}` : '',
    of.stations_chosen ? `${say('chosen')} ${of.stations_chosen}` : '',
    of.stations_closed ? `${say('closed')} ${of.stations_closed}` : '',
  ].filter(Boolean).join(' · ');
  return element('section', 'figures',
    figure(whole(of.households), say('households'), of.residents ? `${say('residents')} ${whole(of.residents)}` : ''),
    figure(whole(of.grids), say('grids'), of.grids ? ranged : ''),
    figure(whole(of.stations_existing + of.stations_chosen), say('stations'), made),
    figure(whole(of.communities), say('communities'), `${say(data.unit_kind)} ${whole(of.buildings)}`),
  );
}

/** Bars of the households covered in each band, by the chosen method. */
export function coverageBars(data: PageData, say: Say, method: Method): HTMLElement {
  const box = element('div', 'bars-coverage');
  for (const band of data.bands) {
    const share = data.shares.find((one) => one.method === method && one.minutes === band.minutes);
    if (!share) continue;
    const bar = element('div', 'bar', element('i'));
    bar.style.setProperty('--share', percent(share.share));
    bar.style.setProperty('--tint', bandColor(data, band.minutes));
    const limit = method === 'network_time' ? '' : ` · ${whole(band.metres)} ${say('metres')}`;
    box.append(element('div', 'bar-row', element('span', '', `${band.minutes} ${say('minutes')}${limit}`), bar, element('b', '', percent(share.share))));
  }
  const left = data.uncovered_households[method];
  box.append(element('div', 'left-out', swatch(NOT_COVERED_COLOR, 'dot'), `${say('not_covered')} ${whole(left)} ${say('hu')}`));
  return box;
}

function circleLegend(data: PageData, say: Say): Node[] {
  return data.bands.map((band, index) => entry(swatch(BAND_COLORS[index] ?? '#999'), `${band.minutes} ${say('minutes')}`));
}

function gridLegend(data: PageData, say: Say, view: View): Node[] {
  if (view === 'grids') return [element('span', 'ramp', element('span', 'bars', ...GRID_COLORS.map((color) => swatch(color))))];
  if (view !== 'deviation') return [];
  return [
    ramp(DEVIATION_STEPS.map(([, color]) => color), say('below'), ''),
    entry(swatch(IN_RANGE_COLOR), `${say('on_target')} ${data.figures.low ?? ''}–${data.figures.high ?? ''}`),
    ramp(DEVIATION_OVER.map(([, color]) => color), '', say('above')),
    entry(swatch(EXCLUSIVE_COLOR), say('exclusive')),
  ];
}

function buildingLegend(data: PageData, say: Say, view: View): Node[] {
  if (view === 'coverage') return [...circleLegend(data, say), entry(swatch(NOT_COVERED_COLOR), say('not_covered'))];
  if (view !== 'households') return [];
  const breaks = data.household_breaks;
  const steps = breaks.length ? HOUSEHOLD_COLORS.slice(0, breaks.length + 1) : HOUSEHOLD_COLORS.slice(2, 3);
  return [
    ...steps.map((color, index) => {
      const low = index === 0 ? 1 : (breaks[index - 1] ?? 1);
      const next = breaks[index];
      const text = next === undefined ? `≥ ${low}` : low === next - 1 ? `${low}` : `${low}–${next - 1}`;
      return entry(swatch(color), text);
    }),
    entry(swatch(NO_HOUSEHOLDS_COLOR), say('zero_households')),
  ];
}

function pointLegend(data: PageData, say: Say, name: LayerName): Node[] {
  const have = data.layers[name]?.features ?? [];
  const values = (key: string) => new Set(have.map((feature) => feature.properties[key]));
  if (name === 'stations') {
    const tiers = values('tier');
    const states = values('status');
    const shown = TIERS.filter((tier) => tiers.has(tier)).map((tier) => entry(symbolImage(`station-${tier}-existing`, data.lang), sayWord(say, tier, 'tier')));
    const status = (['chosen', 'closed'] as const).filter((one) => states.has(one))
      .map((one) => entry(symbolImage(`station-${TIERS.find((tier) => tiers.has(tier)) ?? 'community'}-${one}`, data.lang), say(one)));
    return [...shown, ...status];
  }
  if (name === 'findings') {
    const severities = values('severity');
    return (Object.keys(SEVERITY_COLOR) as Word[]).filter((one) => severities.has(one))
      .map((one) => entry(symbolImage(`finding-${one}`, data.lang), say(one)));
  }
  if (name === 'gates') return [entry(symbolImage('gate-open', data.lang), say('open'))];
  if (name === 'premises') return [entry(symbolImage('premise', data.lang), say('layer_premises'))];
  return [];
}

function legendOf(data: PageData, say: Say, name: LayerName, state: State): Node[] {
  if (name === 'grids') return gridLegend(data, say, state.view);
  if (name === 'buildings') return buildingLegend(data, say, state.view);
  if (name === 'service_circles') {
    const drawn = (data.layers.service_circles?.features ?? []).some((one) => one.properties.method === state.method);
    if (drawn) return circleLegend(data, say);
    return [element('span', 'entry', say(state.method === 'network_distance' ? 'no_circle_drawing' : 'no_circles'))];
  }
  if (name === 'uncovered') return [entry(swatch(NOT_COVERED_COLOR, 'dot'), say('not_covered'))];
  if (name === 'streets') {
    return (['arterial', 'secondary', 'lane'] as const).map((one) => {
      const line = swatch(STREET_COLORS[one].fill, 'stroke');
      line.style.borderColor = STREET_COLORS[one].casing;
      return entry(line, sayWord(say, one));
    });
  }
  if (name === 'barriers') return [entry(swatch(WATER_COLOR), say('water')), entry(swatch('#77736d', 'stroke thin'), say('railway')), entry(swatch('#8f7d6d', 'stroke hair'), say('wall'))];
  return pointLegend(data, say, name);
}

function isEmpty(data: PageData, name: LayerName): boolean {
  return !data.tiled.includes(name) && !data.layers[name]?.features.length;
}

function switches(data: PageData, say: Say, state: State, wishes: Wishes): HTMLElement {
  const box = element('section', 'switches', element('h2', '', say('layers')));
  for (const name of SWITCHES) {
    if (isEmpty(data, name)) continue;
    const tick = element('input');
    tick.type = 'checkbox';
    tick.id = `switch-${name}`;
    tick.checked = state.shown.has(name);
    const text = name === 'buildings' && data.unit_kind === 'areas' ? say('layer_areas') : say(`layer_${name}` as Word);
    const label = element('label', '', tick, text);
    label.htmlFor = tick.id;
    const legend = element('div', 'legend', ...legendOf(data, say, name, state));
    legend.hidden = !tick.checked;
    tick.addEventListener('change', () => { legend.hidden = !tick.checked; wishes.layer(name, tick.checked); });
    box.append(element('div', 'switch', label, legend));
  }
  return box;
}

function choice<T extends string>(name: string, options: T[], chosen: T, text: (option: T) => string, wish: (option: T) => void): HTMLElement {
  const box = element('div', `choice ${name}`);
  box.setAttribute('role', 'radiogroup');
  for (const option of options) {
    const radio = element('input');
    radio.type = 'radio'; radio.name = name; radio.value = option; radio.checked = option === chosen;
    radio.addEventListener('change', () => wish(option));
    box.append(element('label', '', radio, element('span', '', text(option))));
  }
  return box;
}

function footer(data: PageData, say: Say): HTMLElement {
  const facts = [
    data.profile ? `${say('profile')}:${data.profile}` : '',
    data.bands.length ? say(data.with_terrain ? 'terrain_yes' : 'terrain_no') : '',
    `${say('plane')}:${data.plane}`,
    data.plan_hash ? `${say('hash')}:${data.plan_hash.slice(0, 12)}` : '',
    `gridplan ${data.version}`,
  ].filter(Boolean);
  const box = element('footer', '', element('p', '', facts.join(' · ')));
  for (const text of [data.notice, data.attribution]) if (text) box.append(element('p', '', text));
  return box;
}

/** Draws the panel anew; the search box is handed in so that it keeps its text. */
export function drawPanel(into: HTMLElement, data: PageData, say: Say, state: State, search: HTMLElement, wishes: Wishes): void {
  const top = into.scrollTop;
  const methods = METHODS.filter((method) => data.shares.some((share) => share.method === method));
  const parts: HTMLElement[] = [heading(data, say), search];
  const views = VIEWS.filter((view) => view !== 'coverage' || methods.length);
  parts.push(choice('view', views, state.view, (view) => say(`view_${view}`), wishes.view));
  parts.push(keyFigures(data, say));
  if (methods.length) {
    parts.push(element('section', 'coverage', element('h2', '', say('coverage')),
      choice('method', methods, state.method, (method) => say(method), wishes.method), coverageBars(data, say, state.method)));
  }
  parts.push(switches(data, say, state, wishes), footer(data, say));
  into.replaceChildren(...parts);
  into.scrollTop = top;
}
