// Map symbols drawn on a canvas: no sprite file, no request.
import type { Map as MapLibre } from 'maplibre-gl';
import type { Lang } from './data';

export const TIERS = ['city', 'regional', 'community', 'compound', 'corner'] as const;
export type Tier = (typeof TIERS)[number];

/** Colour, diameter in pixels and the character on the badge, per tier. */
export const TIER_LOOK: Record<Tier, { color: string; size: number; zh: string; en: string }> = {
  city: { color: '#7a1f4b', size: 34, zh: '市', en: 'C' },
  regional: { color: '#9c2f6b', size: 31, zh: '片', en: 'R' },
  community: { color: '#c8322d', size: 28, zh: '社', en: 'S' },
  compound: { color: '#e2711d', size: 24, zh: '驿', en: 'P' },
  corner: { color: '#a97b0a', size: 20, zh: '角', en: 'K' },
};
export const FONT = '"Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC","WenQuanYi Micro Hei","Noto Sans CJK JP",sans-serif';
export const CLOSED_COLOR = '#8a8f98';
export const SEVERITY_COLOR = { error: '#d1242f', warning: '#e08a00', info: '#4a7fb5' } as const;

type Paint = (pen: CanvasRenderingContext2D, size: number) => void;

function draw(size: number, ratio: number, paint: Paint): ImageData {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = Math.ceil(size * ratio);
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no 2d canvas');
  pen.scale(ratio, ratio);
  paint(pen, size);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** A round badge; a chosen station wears a ring in the same colour, a closed one is grey and crossed out. */
export function badge(tier: Tier, status: string, lang: Lang): Paint {
  const look = TIER_LOOK[tier];
  return (pen, size) => {
    const middle = size / 2;
    const color = status === 'closed' ? CLOSED_COLOR : look.color;
    const disc = (radius: number, fill: string) => {
      pen.beginPath(); pen.arc(middle, middle, radius, 0, Math.PI * 2); pen.fillStyle = fill; pen.fill();
    };
    pen.shadowColor = 'rgba(20,25,35,.45)'; pen.shadowBlur = 3; pen.shadowOffsetY = 1;
    if (status === 'chosen') { disc(middle - 2.5, color); pen.shadowColor = 'transparent'; disc(middle - 4.2, '#fff'); disc(middle - 6, color); }
    else { disc(middle - 3, '#fff'); pen.shadowColor = 'transparent'; disc(middle - 4.8, color); }
    pen.fillStyle = '#fff'; pen.textAlign = 'center'; pen.textBaseline = 'middle';
    pen.font = `600 ${Math.round(size * 0.44)}px ${FONT}`;
    pen.fillText(lang === 'zh' ? look.zh : look.en, middle, middle + 0.5);
    if (status === 'closed') {
      pen.strokeStyle = '#fff'; pen.lineWidth = 2.2; pen.beginPath();
      pen.moveTo(size * 0.24, size * 0.76); pen.lineTo(size * 0.76, size * 0.24); pen.stroke();
    }
  };
}

const diamond: Paint = (pen, size) => {
  const half = size / 2;
  pen.beginPath(); pen.moveTo(half, 2); pen.lineTo(size - 2, half); pen.lineTo(half, size - 2); pen.lineTo(2, half); pen.closePath();
  pen.fillStyle = '#fff'; pen.fill(); pen.lineWidth = 2; pen.strokeStyle = '#5b6bb5'; pen.stroke();
};

const gate = (open: boolean): Paint => (pen, size) => {
  pen.fillStyle = '#fff'; pen.fillRect(1, 1, size - 2, size - 2);
  pen.fillStyle = open ? '#3f8f5a' : '#a33'; pen.fillRect(2.5, 2.5, size - 5, size - 5);
  pen.fillStyle = '#fff';
  if (open) pen.fillRect(size / 2 - 1.6, 4, 3.2, size - 6.5); else pen.fillRect(4, size / 2 - 1.2, size - 8, 2.4);
};

const triangle = (color: string): Paint => (pen, size) => {
  pen.lineJoin = 'round';
  pen.beginPath(); pen.moveTo(size / 2, 3); pen.lineTo(size - 2.5, size - 3.5); pen.lineTo(2.5, size - 3.5); pen.closePath();
  pen.lineWidth = 4; pen.strokeStyle = '#fff'; pen.stroke();
  pen.lineWidth = 1.5; pen.fillStyle = color; pen.strokeStyle = color; pen.fill(); pen.stroke();
  pen.fillStyle = '#fff'; pen.textAlign = 'center'; pen.textBaseline = 'middle';
  pen.font = `700 ${Math.round(size * 0.5)}px ${FONT}`; pen.fillText('!', size / 2, size * 0.6);
};

const arrows: Paint = (pen, size) => {
  pen.strokeStyle = '#8d7a63'; pen.lineWidth = 1.4;
  for (const x of [size * 0.3, size * 0.7]) { pen.beginPath(); pen.moveTo(x, size * 0.2); pen.lineTo(x, size * 0.8); pen.stroke(); }
};

export function symbols(lang: Lang): Record<string, { size: number; paint: Paint }> {
  const all: Record<string, { size: number; paint: Paint }> = {
    premise: { size: 15, paint: diamond },
    'gate-open': { size: 13, paint: gate(true) },
    'gate-shut': { size: 13, paint: gate(false) },
    steps: { size: 8, paint: arrows },
  };
  for (const [severity, color] of Object.entries(SEVERITY_COLOR)) {
    all[`finding-${severity}`] = { size: 20, paint: triangle(color) };
  }
  for (const tier of TIERS) {
    for (const status of ['existing', 'chosen', 'closed']) {
      all[`station-${tier}-${status}`] = { size: TIER_LOOK[tier].size + (status === 'chosen' ? 4 : 0), paint: badge(tier, status, lang) };
    }
  }
  return all;
}

export function addSymbols(map: MapLibre, lang: Lang): void {
  const ratio = Math.max(2, Math.ceil(window.devicePixelRatio || 1));
  for (const [name, { size, paint }] of Object.entries(symbols(lang))) {
    map.addImage(name, draw(size, ratio, paint), { pixelRatio: ratio });
  }
}

/** The same symbol as a picture for the legend. */
export function symbolImage(name: string, lang: Lang): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const symbol = symbols(lang)[name];
  if (!symbol) return canvas;
  const pixels = draw(symbol.size, 2, symbol.paint);
  canvas.width = pixels.width; canvas.height = pixels.height;
  canvas.style.width = canvas.style.height = `${Math.min(symbol.size, 22)}px`;
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  return canvas;
}
