// The search box: grid codes, communities, stations, compounds.
import { boxOf, collection, type Feature, type LayerName, type PageData } from './data';
import { element } from './cards';
import type { Say, Word } from './words';

interface Entry { name: LayerName; feature: Feature; text: string; note: string; key: string }

const SEARCHED: [LayerName, Word][] = [['grids', 'grid'], ['communities', 'community'], ['stations', 'stations'], ['compounds', 'compound']];
const MOST = 12;

const fold = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, '');

function entries(data: PageData, say: Say): Entry[] {
  return SEARCHED.flatMap(([name, word]) => collection(data, name).features.flatMap((feature) => {
    const { code, name: called, label } = feature.properties;
    const text = String((name === 'grids' ? code : called) ?? code ?? '');
    if (!text || !boxOf(feature.geometry)) return [];
    return [{ name, feature, text, note: say(word), key: fold([code, called, label].filter(Boolean).join(' ')) }];
  }));
}

/** Those that begin with the text come first, then those that contain it. */
function matching(all: Entry[], text: string): Entry[] {
  const wanted = fold(text);
  if (!wanted) return [];
  const found = all.filter((entry) => entry.key.includes(wanted));
  const rank = (entry: Entry) => (fold(entry.text) === wanted ? 0 : fold(entry.text).startsWith(wanted) || fold(entry.text).endsWith(wanted) ? 1 : 2);
  return found.map((entry) => ({ entry, at: rank(entry) })).sort((a, b) => a.at - b.at).slice(0, MOST).map((one) => one.entry);
}

export function searchBox(data: PageData, say: Say, choose: (name: LayerName, feature: Feature) => void): HTMLElement {
  const all = entries(data, say);
  const input = element('input');
  input.type = 'search'; input.placeholder = say('search'); input.autocomplete = 'off'; input.id = 'search';
  input.setAttribute('aria-label', say('search'));
  const list = element('ul');
  list.hidden = true;
  let active = -1;
  const take = (entry: Entry) => { input.value = entry.text; list.hidden = true; choose(entry.name, entry.feature); };
  const show = () => {
    const found = matching(all, input.value);
    active = -1;
    list.replaceChildren(...found.map((entry) => {
      const item = element('li', '', element('span', '', entry.text), element('small', '', entry.note));
      item.addEventListener('mousedown', (event) => { event.preventDefault(); take(entry); });
      return item;
    }));
    if (!found.length && input.value.trim()) list.append(element('li', 'none', say('nothing_found')));
    list.hidden = !input.value.trim();
  };
  input.addEventListener('input', show);
  input.addEventListener('focus', show);
  input.addEventListener('blur', () => { list.hidden = true; });
  input.addEventListener('keydown', (event) => {
    const found = matching(all, input.value);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      active = Math.max(0, Math.min(found.length - 1, active + (event.key === 'ArrowDown' ? 1 : -1)));
      [...list.children].forEach((item, index) => item.classList.toggle('active', index === active));
    } else if (event.key === 'Enter') {
      const entry = found[Math.max(0, active)];
      if (entry) take(entry);
    } else if (event.key === 'Escape') { input.value = ''; show(); }
  });
  return element('div', 'search', input, list);
}
