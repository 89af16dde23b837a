// The map's looks: a calm base map drawn from the plan's own streets, water and land, and the plan upon it.
import type {
  ExpressionSpecification as Expression, FilterSpecification as Filter, LayerSpecification, SourceSpecification, StyleSpecification,
} from 'maplibre-gl';
import { LAYERS, collection, type Collection, type LayerName, type Method, type PageData } from './data';
import type { Say } from './words';

export type View = 'grids' | 'deviation' | 'coverage' | 'households';
export const VIEWS: View[] = ['grids', 'deviation', 'coverage', 'households'];

/** Soft, even in lightness, and still told apart by most colour-blind readers when neighbours differ. */
export const GRID_COLORS = ['#7fb8c9', '#e8b07a', '#a9c47f', '#c9a3cf', '#e6a4a4', '#d9cb79', '#93a8d8', '#8fcbb3'];
export const DEVIATION_STEPS: [number, string][] = [[-1, '#2f6fb0'], [-0.3, '#6ea3d0'], [-0.2, '#a9c9e4']];
export const DEVIATION_OVER: [number, string][] = [[0, '#f3c39b'], [0.2, '#e58d52'], [0.3, '#c2541b']];
export const IN_RANGE_COLOR = '#bfdcb4';
export const EXCLUSIVE_COLOR = '#c7bfd6';
export const HOUSEHOLD_COLORS = ['#f6e3a1', '#f2bd6b', '#e58a4e', '#c4533d', '#8b2340'];
export const NO_HOUSEHOLDS_COLOR = '#cbc8c2';
export const BAND_COLORS = ['#1c7c6c', '#53ab7f', '#c0cf68', '#e3b04b', '#d98c4a'];
export const NOT_COVERED_COLOR = '#d6246e';
export const WATER_COLOR = '#b7d5e8';
export const STREET_COLORS = {
  arterial: { fill: '#fde293', casing: '#d3a548' },
  secondary: { fill: '#fff3cd', casing: '#d1bf92' },
  lane: { fill: '#ffffff', casing: '#cbc6bc' },
} as const;

const SANS = ['sans'];
const BOLD = ['sans bold'];

export function bandColor(data: PageData, minutes: number): string {
  const index = data.bands.findIndex((band) => band.minutes === minutes);
  return BAND_COLORS[Math.max(0, index)] ?? '#d98c4a';
}

/** The colour of the band that `minutes` names; before anything was measured there are no bands to match. */
function byBand(data: PageData, minutes: unknown, otherwise: string): unknown {
  const branches = data.bands.flatMap((band) => [band.minutes, bandColor(data, band.minutes)]);
  return branches.length ? ['match', minutes, ...branches, otherwise] : otherwise;
}

/** Which layers a view shows at first. */
export function shownIn(view: View): Set<LayerName> {
  const shown = new Set<LayerName>(['communities', 'compounds', 'barriers', 'streets', 'buildings', 'grids', 'stations', 'gates']);
  if (view === 'coverage') { shown.add('service_circles').add('uncovered'); shown.delete('gates'); }
  return shown;
}

const byZoom = (...stops: [number, number | Expression][]): Expression =>
  ['interpolate', ['exponential', 1.6], ['zoom'], ...stops.flat()] as unknown as Expression;

function gridFill(view: View): Expression | string {
  if (view === 'grids') {
    return ['case', ['==', ['get', 'class'], 'exclusive'], EXCLUSIVE_COLOR,
      ['match', ['get', 'color'], ...GRID_COLORS.flatMap((color, index) => [index, color]), '#bbbbbb']] as unknown as Expression;
  }
  const [first, ...steps] = DEVIATION_STEPS;
  const [firstOver, ...stepsOver] = DEVIATION_OVER;
  return ['case', ['==', ['get', 'class'], 'exclusive'], EXCLUSIVE_COLOR, ['get', 'in_range'], IN_RANGE_COLOR,
    ['<', ['get', 'deviation'], 0], ['step', ['get', 'deviation'], first?.[1], ...steps.flat()],
    ['step', ['get', 'deviation'], firstOver?.[1], ...stepsOver.flat()]] as unknown as Expression;
}

function buildingFill(data: PageData, view: View, method: Method): Expression | string {
  if (view === 'coverage') {
    return ['case', ['==', ['get', 'households'], 0], NO_HOUSEHOLDS_COLOR,
      byBand(data, ['coalesce', ['get', `band_${method}`], 0], NOT_COVERED_COLOR)] as unknown as Expression;
  }
  if (view === 'households') {
    const steps = data.household_breaks.flatMap((at, index) => [at, HOUSEHOLD_COLORS[index + 1] ?? '#8b2340']);
    return ['case', ['==', ['get', 'households'], 0], NO_HOUSEHOLDS_COLOR,
      steps.length ? ['step', ['get', 'households'], HOUSEHOLD_COLORS[0], ...steps] : HOUSEHOLD_COLORS[2]] as unknown as Expression;
  }
  // A veil rather than a colour, so that the hue of the grid shines through.
  return ['case', ['==', ['get', 'households'], 0], '#8f877a', '#4b4339'];
}

/** The paint that depends on the view or the method; set again when either changes. */
export function changing(data: PageData, view: View, method: Method): [string, string, unknown][] {
  const areas = data.unit_kind === 'areas';
  const coloured = view === 'grids' || view === 'deviation';
  const pale = areas && coloured ? 0 : areas ? 0.75 : 1;
  const fill = buildingFill(data, view, method);
  return [
    ['grids-fill', 'fill-color', gridFill(view === 'deviation' ? view : 'grids')],
    ['grids-fill', 'fill-opacity', view === 'grids' ? 0.5 : view === 'deviation' ? 0.62 : 0],
    ['buildings-fill', 'fill-color', fill],
    ['buildings-fill', 'fill-opacity', ['interpolate', ['linear'], ['zoom'],
      11, 0.3 * pale, 13, (coloured ? 0.3 : 0.85) * pale, 16, (coloured ? 0.4 : 0.95) * pale]],
    ['buildings-point', 'circle-color', fill],
  ];
}

export function circleFilter(method: Method, station: string): Filter {
  return ['all', ['==', ['get', 'method'], method], ['==', ['get', 'station'], station]] as unknown as Filter;
}

export function uncoveredFilter(method: Method): Filter {
  return ['==', ['coalesce', ['get', `band_${method}`], 0], 0] as unknown as Filter;
}

export function labelPoints(from: Collection): Collection {
  return {
    type: 'FeatureCollection',
    features: from.features.flatMap((feature) => {
      const { label_x: x, label_y: y } = feature.properties;
      return typeof x === 'number' && typeof y === 'number'
        ? [{ ...feature, geometry: { type: 'Point' as const, coordinates: [x, y] } }] : [];
    }),
  };
}

const TILES = 'plan-tiles';

function sources(data: PageData): Record<string, SourceSpecification> {
  const all: Record<string, SourceSpecification> = {};
  for (const name of LAYERS) {
    if (!data.tiled.includes(name)) {
      all[name] = { type: 'geojson', data: collection(data, name) as GeoJSON.GeoJSON, tolerance: 0.2, buffer: 64 };
    }
  }
  for (const name of ['grids', 'communities', 'compounds'] as const) {
    all[`${name}-labels`] = { type: 'geojson', data: labelPoints(collection(data, name)) as GeoJSON.GeoJSON };
  }
  if (data.tiled.length) {
    all[TILES] = { type: 'vector', url: 'pmtiles://plan', minzoom: data.tile_zooms[0], maxzoom: data.tile_zooms[1] };
  }
  return all;
}

/** Where a layer's features come from: its own source, or a layer of the inline tiles. */
export function origin(data: PageData, name: LayerName): { source: string; 'source-layer'?: string } {
  return data.tiled.includes(name) ? { source: TILES, 'source-layer': name } : { source: name };
}

type Loose = Record<string, unknown>;
const layer = (id: string, type: string, from: Loose, rest: Loose): LayerSpecification =>
  ({ id, type, ...from, ...rest }) as unknown as LayerSpecification;

export const isArea: Filter = ['match', ['geometry-type'], ['Polygon', 'MultiPolygon'], true, false] as unknown as Filter;
const isLine: Filter = ['match', ['geometry-type'], ['LineString', 'MultiLineString'], true, false] as unknown as Filter;
export const isPoint: Filter = ['match', ['geometry-type'], ['Point', 'MultiPoint'], true, false] as unknown as Filter;
const all = (...parts: unknown[]): Filter => ['all', ...parts] as unknown as Filter;
const kind = (...kinds: string[]): unknown => ['match', ['get', 'kind'], kinds, true, false];
const ofClass = (...classes: string[]): unknown => ['match', ['get', 'class'], classes, true, false];

function ground(data: PageData): LayerSpecification[] {
  const communities = origin(data, 'communities');
  const compounds = origin(data, 'compounds');
  return [
    layer('background', 'background', {}, { paint: { 'background-color': '#e6e4df' } }),
    layer('communities-land', 'fill', communities, { paint: { 'fill-color': '#faf8f3' } }),
    layer('compounds-fill', 'fill', compounds, { filter: isArea, paint: { 'fill-color': '#e9efdc', 'fill-opacity': 0.75 } }),
  ];
}

function water(data: PageData): LayerSpecification[] {
  const barriers = origin(data, 'barriers');
  return [
    layer('water-fill', 'fill', barriers, { filter: all(isArea, kind('river', 'water')), paint: { 'fill-color': WATER_COLOR } }),
    layer('water-edge', 'line', barriers, { filter: all(isArea, kind('river', 'water')), paint: { 'line-color': '#9cc2dc', 'line-width': 0.8 } }),
    layer('water-line', 'line', barriers, {
      filter: all(isLine, kind('river', 'water')), layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': WATER_COLOR, 'line-width': byZoom([10, 1.5], [14, 5], [18, 26]) },
    }),
  ];
}

/** Width of a street by zoom, as casing and fill. */
function streetWidth(of: 'arterial' | 'secondary' | 'lane', casing: number): Expression {
  const widths = { arterial: [1.4, 5.5, 26], secondary: [0.7, 3.6, 18], lane: [0.25, 1.9, 11] }[of];
  return byZoom([10, (widths[0] ?? 1) + casing / 2], [14, (widths[1] ?? 1) + casing], [18, (widths[2] ?? 1) + casing * 1.4]);
}

function streets(data: PageData): LayerSpecification[] {
  const from = origin(data, 'streets');
  const round = { 'line-cap': 'round', 'line-join': 'round' };
  const drawn: LayerSpecification[] = [];
  drawn.push(layer('streets-path', 'line', from, {
    minzoom: 13.5, filter: all(ofClass('path')), layout: round,
    paint: { 'line-color': '#b99d7c', 'line-width': byZoom([13, 0.6], [18, 2.6]), 'line-dasharray': [2.2, 1.8], 'line-opacity': 0.85 },
  }));
  drawn.push(layer('streets-steps', 'line', from, {
    minzoom: 13.5, filter: all(ofClass('steps')),
    paint: { 'line-color': '#a5714a', 'line-width': byZoom([13, 1.2], [18, 6]), 'line-dasharray': [0.35, 0.3] },
  }));
  const classes = ['lane', 'secondary', 'arterial'] as const;
  for (const one of classes) {
    drawn.push(layer(`streets-${one}-casing`, 'line', from, {
      minzoom: one === 'lane' ? 12.5 : 9, filter: all(ofClass(one)), layout: round,
      paint: { 'line-color': STREET_COLORS[one].casing, 'line-width': streetWidth(one, 1.6), 'line-opacity': ['case', ['==', ['get', 'tunnel'], true], 0.45, 1] },
    }));
  }
  for (const one of classes) {
    drawn.push(layer(`streets-${one}`, 'line', from, {
      minzoom: one === 'lane' ? 11 : 8, filter: all(ofClass(one)), layout: round,
      paint: { 'line-color': STREET_COLORS[one].fill, 'line-width': streetWidth(one, 0), 'line-opacity': ['case', ['==', ['get', 'tunnel'], true], 0.5, 1] },
    }));
  }
  return drawn;
}

function barriers(data: PageData): LayerSpecification[] {
  const from = origin(data, 'barriers');
  return [
    layer('railway', 'line', from, { filter: all(kind('railway')), paint: { 'line-color': '#77736d', 'line-width': byZoom([10, 1], [14, 2.6], [18, 7]) } }),
    layer('railway-dash', 'line', from, {
      filter: all(kind('railway')), paint: { 'line-color': '#f4f2ee', 'line-width': byZoom([10, 0.5], [14, 1.6], [18, 5]), 'line-dasharray': [4, 4] },
    }),
    layer('motorway', 'line', from, { filter: all(kind('motorway')), paint: { 'line-color': '#c77d3b', 'line-width': byZoom([10, 0.8], [18, 5]), 'line-opacity': 0.8 } }),
    layer('wall', 'line', from, { minzoom: 13.5, filter: all(kind('wall')), paint: { 'line-color': '#8f7d6d', 'line-width': byZoom([13, 0.6], [18, 2.4]) } }),
    layer('cliff', 'line', from, { minzoom: 13, filter: all(kind('cliff')), paint: { 'line-color': '#7c6a55', 'line-width': byZoom([13, 0.8], [18, 4]), 'line-dasharray': [0.5, 0.7] } }),
  ];
}

function buildings(data: PageData): LayerSpecification[] {
  const from = origin(data, 'buildings');
  const areas = data.unit_kind === 'areas';
  const outline = areas ? '#8c8479' : '#5d564d';
  return [
    layer('buildings-fill', 'fill', from, { minzoom: areas ? 8 : 11.5, filter: isArea, paint: { 'fill-color': '#9b9184' } }),
    layer('buildings-line', 'line', from, {
      minzoom: areas ? 11 : 14.2, filter: isArea,
      paint: { 'line-color': outline, 'line-width': byZoom([14, areas ? 0.35 : 0.25], [18, 1]), 'line-opacity': ['interpolate', ['linear'], ['zoom'], 14, areas ? 0.5 : 0.2, 16, 0.7] },
    }),
    layer('buildings-point', 'circle', from, {
      minzoom: 11.5, filter: isPoint,
      paint: { 'circle-radius': byZoom([12, 1.2], [15, 3.5], [18, 9]), 'circle-color': '#9b9184', 'circle-stroke-color': '#fff', 'circle-stroke-width': 0.6 },
    }),
    layer('buildings-active', 'line', from, { filter: ['==', ['id'], -1], paint: { 'line-color': '#10141c', 'line-width': 2.2 } }),
  ];
}

function circles(data: PageData): LayerSpecification[] {
  const from = origin(data, 'service_circles');
  const color = byBand(data, ['get', 'minutes'], '#d98c4a');
  return [
    layer('service_circles-fill', 'fill', from, {
      layout: { 'fill-sort-key': ['-', 0, ['get', 'minutes']] }, paint: { 'fill-color': color, 'fill-opacity': 0.2, 'fill-antialias': false },
    }),
    layer('service_circles-line', 'line', from, {
      layout: { 'line-join': 'round', 'line-sort-key': ['-', 0, ['get', 'minutes']] },
      paint: { 'line-color': color, 'line-width': byZoom([11, 1], [16, 2.2]), 'line-opacity': 0.95 },
    }),
  ];
}

function boundaries(data: PageData): LayerSpecification[] {
  const grids = origin(data, 'grids');
  const communities = origin(data, 'communities');
  const round = { 'line-join': 'round', 'line-cap': 'round' };
  return [
    layer('grids-halo', 'line', grids, { layout: round, paint: { 'line-color': '#ffffff', 'line-width': byZoom([11, 1.2], [14, 3.4], [18, 7]), 'line-opacity': 0.8 } }),
    layer('grids-line', 'line', grids, { layout: round, paint: { 'line-color': '#36506b', 'line-width': byZoom([11, 0.5], [14, 1.3], [18, 2.6]) } }),
    layer('communities-halo', 'line', communities, { layout: round, paint: { 'line-color': '#ffffff', 'line-width': byZoom([9, 2], [14, 6], [18, 10]), 'line-opacity': 0.75 } }),
    layer('communities-line', 'line', communities, {
      layout: { 'line-join': 'round' }, paint: { 'line-color': '#8a2c5a', 'line-width': byZoom([9, 1], [14, 2.4], [18, 4]), 'line-dasharray': [5, 1.6, 1, 1.6] },
    }),
    layer('grids-active', 'line', grids, { filter: ['==', ['id'], -1], layout: round, paint: { 'line-color': '#10141c', 'line-width': 3.2 } }),
    layer('communities-active', 'line', communities, { filter: ['==', ['id'], -1], layout: round, paint: { 'line-color': '#8a2c5a', 'line-width': 5 } }),
  ];
}

function points(data: PageData): LayerSpecification[] {
  const icon = { 'icon-allow-overlap': true, 'icon-ignore-placement': true };
  return [
    layer('uncovered', 'circle', origin(data, 'uncovered'), {
      paint: {
        'circle-radius': byZoom([10, ['min', 9, ['+', 1.5, ['*', 0.35, ['sqrt', ['get', 'households']]]]]], [15, ['min', 26, ['+', 4, ['*', 1.6, ['sqrt', ['get', 'households']]]]]]),
        'circle-color': NOT_COVERED_COLOR, 'circle-opacity': 0.28, 'circle-stroke-color': NOT_COVERED_COLOR, 'circle-stroke-width': 1.4, 'circle-stroke-opacity': 0.95,
      },
    }),
    layer('gates', 'symbol', origin(data, 'gates'), {
      minzoom: 15, layout: { ...icon, 'icon-image': ['case', ['==', ['get', 'open'], true], 'gate-open', 'gate-shut'], 'icon-size': byZoom([15, 0.6], [18, 1.1]) },
    }),
    layer('premises', 'symbol', origin(data, 'premises'), {
      layout: { ...icon, 'icon-image': 'premise', 'icon-size': byZoom([11, 0.45], [16, 1]) },
    }),
    layer('findings', 'symbol', origin(data, 'findings'), {
      layout: { ...icon, 'icon-image': ['concat', 'finding-', ['get', 'severity']], 'icon-size': byZoom([11, 0.7], [16, 1]) },
    }),
  ];
}

function labels(data: PageData, say: Say): LayerSpecification[] {
  const halo = { 'text-halo-color': 'rgba(255,255,255,.94)', 'text-halo-width': 1.8, 'text-halo-blur': 0.4 };
  return [
    layer('streets-label', 'symbol', origin(data, 'streets'), {
      minzoom: 14, filter: all(['has', 'name'], ofClass('arterial', 'secondary', 'lane')),
      layout: { 'symbol-placement': 'line', 'symbol-spacing': 420, 'text-field': ['get', 'name'], 'text-font': SANS, 'text-size': byZoom([14, 10.5], [18, 14]), 'text-max-angle': 35, 'text-padding': 6 },
      paint: { 'text-color': '#6d5f49', ...halo, 'text-halo-width': 1.4 },
    }),
    layer('compounds-label', 'symbol', { source: 'compounds-labels' }, {
      minzoom: 15.2, filter: ['has', 'name'],
      layout: { 'text-field': ['get', 'name'], 'text-font': SANS, 'text-size': 11.5, 'text-max-width': 7, 'text-padding': 4, 'text-variable-anchor': ['center', 'top', 'bottom'], 'text-radial-offset': 1 },
      paint: { 'text-color': '#55683a', ...halo },
    }),
    layer('grids-label', 'symbol', { source: 'grids-labels' }, {
      minzoom: 12.6,
      layout: {
        'text-field': ['step', ['zoom'], ['get', 'label'], 14.3,
          ['format', ['get', 'label'], {}, '\n', {}, ['concat', ['to-string', ['get', 'households']], ` ${say('hu') === '户' ? '户' : ''}`], { 'font-scale': 0.78, 'text-font': ['literal', SANS] }]],
        'text-font': BOLD, 'text-size': byZoom([12, 10], [15, 14], [18, 20]), 'text-padding': 1, 'text-line-height': 1.15,
        'text-variable-anchor': ['center', 'bottom', 'top', 'left', 'right'], 'text-radial-offset': 1.4,
      },
      paint: { 'text-color': '#1d3550', ...halo },
    }),
    layer('communities-label', 'symbol', { source: 'communities-labels' }, {
      maxzoom: 16.5,
      layout: { 'text-field': ['get', 'name'], 'text-font': BOLD, 'text-size': byZoom([10, 11], [14, 19]), 'text-max-width': 6, 'text-letter-spacing': 0.08, 'text-padding': 3, 'text-variable-anchor': ['center', 'top', 'bottom', 'left', 'right'], 'text-radial-offset': 1.1 },
      paint: { 'text-color': '#7a1f4b', ...halo, 'text-halo-width': 2.4 },
    }),
    layer('stations', 'symbol', origin(data, 'stations'), {
      layout: {
        'icon-image': ['concat', 'station-', ['get', 'tier'], '-', ['get', 'status']], 'icon-allow-overlap': true, 'icon-size': byZoom([10, 0.55], [14, 0.85], [17, 1.1]),
        'symbol-sort-key': ['match', ['get', 'tier'], 'city', 5, 'regional', 4, 'community', 3, 'compound', 2, 1],
        'text-field': ['step', ['zoom'], '', 14.8, ['get', 'name']], 'text-font': BOLD, 'text-size': 12, 'text-anchor': 'top', 'text-offset': [0, 1.15], 'text-optional': true, 'text-max-width': 9,
      },
      paint: { 'text-color': '#8e1f1c', ...halo },
    }),
    layer('stations-active', 'circle', origin(data, 'stations'), {
      filter: ['==', ['id'], -1], paint: { 'circle-radius': 20, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': '#10141c', 'circle-stroke-width': 2.5 },
    }),
  ];
}

/** All style layers, from the ground up. */
export function styleLayers(data: PageData, say: Say): LayerSpecification[] {
  return [
    ...ground(data),
    layer('grids-fill', 'fill', origin(data, 'grids'), { paint: { 'fill-color': '#cccccc', 'fill-opacity': 0.5 } }),
    ...circles(data).slice(0, 1),
    ...water(data),
    layer('compounds-line', 'line', origin(data, 'compounds'), {
      minzoom: 13.5, filter: isArea,
      paint: { 'line-color': ['case', ['==', ['get', 'walled'], true], '#8f7d6d', '#a9b58f'], 'line-width': byZoom([13, 0.4], [18, 1.8]), 'line-opacity': 0.8 },
    }),
    ...streets(data),
    ...barriers(data),
    ...buildings(data),
    ...circles(data).slice(1),
    ...boundaries(data),
    ...points(data),
    ...labels(data, say),
  ];
}

/** The style layers that a switch of the panel turns on and off. */
export function membersOf(name: LayerName, layers: LayerSpecification[]): string[] {
  const own = layers.map((one) => one.id).filter((id) => id === name || id.startsWith(`${name}-`));
  const others: Partial<Record<LayerName, string[]>> = {
    barriers: ['water-fill', 'water-edge', 'water-line', 'railway', 'railway-dash', 'motorway', 'wall', 'cliff'],
  };
  return [...own.filter((id) => id !== 'communities-land'), ...(others[name] ?? [])];
}

export function style(data: PageData, say: Say): StyleSpecification {
  return { version: 8, sources: sources(data), layers: styleLayers(data, say) };
}
