// What a card says about a feature: a heading, a lead figure, and rows.
import type { LayerName, PageData, Properties } from './data';
import { METHODS } from './data';
import { sayWord, type Say, type Word } from './words';
import { bandColor } from './style';

type Content = string | Node;

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = '', ...content: Content[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

export const whole = (value: unknown): string => Number(value ?? 0).toLocaleString('en-US', { maximumFractionDigits: 0 });
export const percent = (value: unknown, digits = 1): string => `${(Number(value ?? 0) * 100).toFixed(digits)}%`;

interface Card { kind: string; title: string; lead?: string; rows: [string, Content][]; note?: string }

const has = (value: unknown): boolean => value !== null && value !== undefined && value !== '';

function shareTable(data: PageData, say: Say, of: Properties): Node | null {
  const methods = METHODS.filter((method) => data.bands.some((band) => has(of[`${method}_${band.minutes}`])));
  if (!methods.length) return null;
  const table = element('table', 'shares');
  const head = element('tr', '', element('th', '', say('share')));
  for (const band of data.bands) head.append(element('th', '', `${band.minutes} ${say('minutes')}`));
  table.append(head);
  for (const method of methods) {
    const row = element('tr', '', element('td', '', say(method)));
    for (const band of data.bands) {
      const value = of[`${method}_${band.minutes}`];
      const cell = element('td', '', has(value) ? percent(value, 0) : '–');
      cell.style.setProperty('--share', has(value) ? percent(value, 0) : '0%');
      cell.style.setProperty('--tint', bandColor(data, band.minutes));
      row.append(cell);
    }
    table.append(row);
  }
  return table;
}

function signed(value: unknown): string {
  const number = Number(value ?? 0);
  return `${0 < number ? '+' : number < 0 ? '−' : '±'}${(Math.abs(number) * 100).toFixed(1)}%`;
}

/** The non-empty rows among those offered. */
function rows(...offered: [string, Content | null | undefined][]): [string, Content][] {
  return offered.filter((row): row is [string, Content] => has(row[1]));
}

function gridCard(data: PageData, say: Say, of: Properties): Card {
  const range = has(of.target) ? `${whole(of.target)}(${whole(of.low)}–${whole(of.high)})` : say('exclusive');
  const state = of.class === 'exclusive' ? '' : of.in_range ? ` · ${say('in_range')}` : ` · ${say('out_of_range')}`;
  return {
    kind: say('grid'), title: String(of.code), lead: `${whole(of.households)} ${say('hu')}`,
    rows: rows(
      [say('name'), of.name === of.code ? null : String(of.name ?? '')],
      [say('deviation'), has(of.target) ? signed(of.deviation) + state : null],
      [say('target'), range],
      [say('residents'), Number(of.residents) ? whole(of.residents) : null],
      [say(data.unit_kind), whole(of.buildings)],
      [say('community'), String(of.community_name ?? of.community ?? '')],
      [say('class'), sayWord(say, of.class)],
      [say('bounds'), of.bounds as string],
      [say('reason'), of.reason as string],
      [say('lineage'), of.lineage as string],
      [say('note'), of.note as string],
      [say('locked'), of.locked ? say('yes') : null],
    ),
  };
}

function communityCard(data: PageData, say: Say, of: Properties): Card {
  return {
    kind: say('community'), title: String(of.name ?? of.code), lead: `${whole(of.households)} ${say('hu')}`,
    rows: rows(
      [say('code'), String(of.code)],
      [say('residents'), Number(of.residents) ? whole(of.residents) : null],
      [say('grids'), `${whole(of.grids)}(${say('in_range')} ${whole(of.grids_in_range)})`],
      [say(data.unit_kind), whole(of.buildings)],
      [say('stations'), whole(of.stations)],
      [say('class'), sayWord(say, of.class)],
    ),
  };
}

function walkText(say: Say, of: Properties): string {
  if (has(of.unreached)) return `${say('unreached')}:${sayWord(say, of.unreached)}`;
  return has(of.walk_minutes) ? `${Number(of.walk_minutes).toFixed(1)} ${say('minutes')}` : '';
}

function buildingCard(say: Say, of: Properties): Card {
  return {
    kind: sayWord(say, of.use), title: String(of.name ?? of.id ?? of.building), lead: `${whole(of.households)} ${say('hu')}`,
    rows: rows(
      [say('residents'), Number(of.residents) ? whole(of.residents) : null],
      [say('grid'), of.grid as string],
      [say('compound'), of.compound_name as string],
      [say('nearest'), (of.station_name ?? of.nearest_station) as string],
      [say('walk'), walkText(say, of)],
      [say('distance'), has(of.distance_m) ? `${whole(of.distance_m)} ${say('metres')}` : null],
      [say('straight'), has(of.straight_m) ? `${whole(of.straight_m)} ${say('metres')}` : null],
      [say('floors'), has(of.floors) ? whole(of.floors) : null],
      [say('source'), has(of.households_source) ? sayWord(say, of.households_source, 'source') : null],
    ),
  };
}

function stationCard(say: Say, of: Properties): Card {
  return {
    kind: `${sayWord(say, of.tier, 'tier')} · ${sayWord(say, of.status)}`, title: String(of.name || of.code),
    lead: has(of.households_nearest) ? `${say('served')} ${whole(of.households_nearest)} ${say('hu')}` : undefined,
    rows: rows(
      [say('code'), of.code as string],
      [say('capacity'), has(of.capacity) ? `${whole(of.capacity)} ${say('hu')}` : null],
      [say('area'), has(of.area_m2) ? `${whole(of.area_m2)} m²` : null],
      [say('community'), of.community_name as string],
      [say('reason'), of.reason as string],
    ),
  };
}

function premiseCard(say: Say, of: Properties): Card {
  return {
    kind: say('layer_premises'), title: String(of.name ?? of.id),
    rows: rows(
      [say('area'), has(of.area_m2) ? `${whole(of.area_m2)} m²` : null],
      [say('tenure'), of.tenure as string],
      [say('floor'), has(of.floor) ? whole(of.floor) : null],
      [say('own_entrance'), has(of.own_entrance) ? say(of.own_entrance ? 'yes' : 'no') : null],
      [say('capacity'), has(of.capacity) ? `${whole(of.capacity)} ${say('hu')}` : null],
      [say('cost'), has(of.cost_yuan) ? `${whole(of.cost_yuan)} ${say('yuan')}` : null],
    ),
  };
}

function otherCard(say: Say, name: LayerName, of: Properties): Card {
  if (name === 'findings') {
    return { kind: sayWord(say, of.severity), title: String(of.feature || of.layer), rows: rows([say('remedy'), of.remedy as string]), note: String(of.message ?? '') };
  }
  if (name === 'gates') {
    return { kind: say('layer_gates'), title: String(of.compound_name ?? of.id), rows: rows([say('status'), say(of.open ? 'open' : 'shut')]) };
  }
  if (name === 'compounds') {
    return {
      kind: say('compound'), title: String(of.name ?? of.id),
      lead: has(of.households) ? `${whole(of.households)} ${say('hu')}` : undefined, rows: rows([say('walled'), of.walled ? say('yes') : null]),
    };
  }
  const word = (of.kind ?? of.class) as Word;
  return { kind: sayWord(say, word), title: String(of.name ?? sayWord(say, word)), rows: [] };
}

function cardOf(data: PageData, say: Say, name: LayerName, of: Properties): Card {
  if (name === 'grids') return gridCard(data, say, of);
  if (name === 'communities') return communityCard(data, say, of);
  if (name === 'buildings' || name === 'uncovered') return buildingCard(say, of);
  if (name === 'stations') return stationCard(say, of);
  if (name === 'premises') return premiseCard(say, of);
  return otherCard(say, name, of);
}

/** Fills `into` with the card of a feature. */
export function fillCard(into: HTMLElement, data: PageData, say: Say, name: LayerName, of: Properties): void {
  const card = cardOf(data, say, name, of);
  const list = element('dl');
  for (const [label, text] of card.rows) list.append(element('dt', '', label), element('dd', '', text));
  into.replaceChildren(element('div', 'kind', card.kind), element('h3', '', card.title));
  if (card.lead) into.append(element('div', 'lead', card.lead));
  if (card.note) into.append(element('p', '', card.note));
  if (card.rows.length) into.append(list);
  const shares = name === 'grids' || name === 'communities' ? shareTable(data, say, of) : null;
  if (shares) into.append(shares);
}
