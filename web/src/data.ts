// What the program puts into the page. The names are those of the GeoJSON export; src/export/page.rs writes them.

export type Lang = 'zh' | 'en';
export type Method = 'network_time' | 'network_distance' | 'straight_radius';
export const METHODS: Method[] = ['network_time', 'network_distance', 'straight_radius'];

export type Properties = Record<string, string | number | boolean | null>;
export type Collection = GeoJSON.FeatureCollection<GeoJSON.Geometry | null, Properties>;
export type Feature = GeoJSON.Feature<GeoJSON.Geometry | null, Properties>;

export const LAYERS = [
  'communities', 'compounds', 'barriers', 'streets', 'buildings', 'grids', 'service_circles',
  'uncovered', 'gates', 'premises', 'stations', 'findings',
] as const;
export type LayerName = (typeof LAYERS)[number];

export interface Share { method: Method; minutes: number; share: number; households: number }

export interface PageData {
  lang: Lang;
  name: string;
  version: string;
  plan_hash: string;
  plane: string;
  profile: string;
  with_terrain: boolean;
  attribution: string;
  notice: string;
  bounds: [number, number, number, number];
  bands: { minutes: number; metres: number }[];
  unit_kind: 'buildings' | 'areas';
  figures: {
    households: number; residents: number; buildings: number; communities: number;
    grids: number; grids_in_range: number; target: number | null; low: number | null; high: number | null;
    stations_existing: number; stations_chosen: number; stations_closed: number;
    findings_error: number; findings_warning: number; findings_info: number;
  };
  shares: Share[];
  uncovered_households: Record<Method, number>;
  household_breaks: number[];
  /** Layers that the inline tiles hold instead of `layers`. */
  tiled: LayerName[];
  tile_zooms: [number, number];
  layers: Partial<Record<LayerName, Collection>>;
}

/** Bytes of a base64 text. `fetch` of a data address is several times faster than `atob`. */
export async function bytesOf(base64: string): Promise<ArrayBuffer> {
  return (await fetch('data:application/octet-stream;base64,' + base64.trim())).arrayBuffer();
}

/** Reads the gzipped, base64-coded JSON that stands in the page. */
export async function readData(base64: string): Promise<PageData> {
  const zipped = await bytesOf(base64);
  const plain = new Blob([zipped]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(plain).text()) as PageData;
}

export function collection(data: PageData, name: LayerName): Collection {
  return data.layers[name] ?? { type: 'FeatureCollection', features: [] };
}

export type Box = [number, number, number, number];

/** The box around a geometry, in degrees. */
export function boxOf(geometry: GeoJSON.Geometry | null): Box | null {
  if (!geometry) return null;
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    const [x, y] = part as unknown[];
    if (typeof x === 'number' && typeof y === 'number') {
      box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
    } else part.forEach(walk);
  };
  if (geometry.type === 'GeometryCollection') return null;
  walk(geometry.coordinates);
  return box[0] <= box[2] ? box : null;
}
