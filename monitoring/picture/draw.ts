import type { Series } from './prometheus.ts';

export interface Graph {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
}

const [width, height, columns, gap] = [560, 250, 2, 16] as const;
/** The plot in its panel. */
const plot = { left: 64, top: 34, right: width - 14, bottom: 172 } as const;
const colours = [
  '#2f6fb5',
  '#d9822b',
  '#3d9a50',
  '#b8433f',
  '#7a5bb0',
  '#8a6d3b',
  '#1f9ea8',
  '#c45a9b',
  '#5b6770',
  '#9a8f1c',
  '#0f4c81',
  '#e07a9a',
];
const perLine = 3;
const legendLines = 4;

/** All graphs as one SVG, two in a row, over the same time. */
export function drawGraphs(graphs: readonly Graph[], time: readonly [number, number]): string {
  const rows = Math.ceil(graphs.length / columns);
  const [w, h] = [columns * (width + gap) + gap, rows * (height + gap) + gap];
  const panels = graphs.map((graph, i) => {
    const [x, y] = [gap + (i % columns) * (width + gap), gap + Math.floor(i / columns) * (height + gap)];
    return `<g transform="translate(${x} ${y})">${drawGraph(graph, time)}</g>`;
  });
  const style = `text{font:11px "DejaVu Sans",sans-serif;fill:#444}.t{font-size:13px;font-weight:bold;fill:#222}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}"><style>${style}</style><rect width="${w}" height="${h}" fill="#eef0f3"/>${panels.join('\n')}</svg>\n`;
}

function drawGraph({ title, unit, series }: Graph, [start, end]: readonly [number, number]): string {
  const highest = Math.max(0, ...series.flatMap(({ points }) => points.map(([, value]) => value)));
  const step = niceStep(highest / 4, unit);
  const top = step * Math.max(1, Math.ceil(highest / step));
  const x = (at: number): number => plot.left + ((at - start) / (end - start)) * (plot.right - plot.left);
  const y = (value: number): number => plot.bottom - (value / top) * (plot.bottom - plot.top);
  const lines = series.map(({ points }, i) => {
    const path = points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${colourOf(i)}" stroke-width="1.6"/>`;
  });
  return [
    `<rect width="${width}" height="${height}" rx="3" fill="#fff" stroke="#d5d9df"/><text class="t" x="12" y="20">${escape(title)}</text>`,
    ...ticks(top, step).map((value) => horizontal(y(value), format(value, unit))),
    ...minutes(start, end).map((minute) => vertical(x(start + minute * 60), `${minute} min`)),
    ...lines,
    ...series.slice(0, perLine * legendLines).map((each, i) => legend(each, i, unit)),
  ].join('');
}

const colourOf = (i: number): string => colours[i % colours.length]!;

const horizontal = (y: number, label: string): string =>
  `<path d="M${plot.left} ${y.toFixed(1)}H${plot.right}" stroke="#e6e8ec"/><text x="${plot.left - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end">${label}</text>`;

const vertical = (x: number, label: string): string =>
  `<path d="M${x.toFixed(1)} ${plot.top}V${plot.bottom}" stroke="#f1f2f4"/><text x="${x.toFixed(1)}" y="${plot.bottom + 15}" text-anchor="middle">${label}</text>`;

/** Name and last value. */
function legend({ name, points }: Series, i: number, unit: string): string {
  const x = 14 + (i % perLine) * ((width - 20) / perLine);
  const y = plot.bottom + 34 + Math.floor(i / perLine) * 13;
  const last = points.at(-1)?.[1];
  const text = `${name}${last === undefined ? '' : ` ${format(last, unit)}`}`;
  return `<rect x="${x}" y="${y - 5}" width="10" height="3" fill="${colourOf(i)}"/><text x="${x + 15}" y="${y}">${escape(text)}</text>`;
}

const ticks = (top: number, step: number): readonly number[] =>
  Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);

const minutes = (start: number, end: number): readonly number[] =>
  Array.from({ length: Math.floor((end - start) / 60) + 1 }, (_, i) => i);

/** 1, 2 or 5 times a power of ten; of bytes, a power of two. */
function niceStep(least: number, unit: string): number {
  if (least <= 0) return unit === 's' ? 0.01 : 1;
  if (unit === 'bytes' || unit === 'Bps') return 2 ** Math.ceil(Math.log2(least));
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

function format(value: number, unit: string): string {
  switch (unit) {
    case 'bytes':
      return bytes(value);
    case 'Bps':
      return `${bytes(value)}/s`;
    case 'ops':
      return `${number(value)}/s`;
    case 's':
      return value < 1 ? `${number(value * 1000)} ms` : `${number(value)} s`;
    case 'percentunit':
      return `${number(value * 100)} %`;
    default:
      return number(value);
  }
}

function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(3, Math.floor(Math.log2(value) / 10));
  return `${number(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB'][power]!}`;
}

const number = (value: number): string =>
  Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 });

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
