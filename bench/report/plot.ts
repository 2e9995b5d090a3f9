/** Bars as SVG text, readable on light and dark ground. */
import { type Metric, ours } from '../measure/figure.ts';
import type { Results } from './results.ts';
import { format } from './table.ts';

interface Panel {
  readonly title: string;
  readonly work: string;
  readonly situation: string;
  readonly metric: Metric;
}

const panels: readonly Panel[] = [
  {
    title: 'Small mail, 10 sessions kept open: messages per second',
    work: 'small',
    situation: '10 sessions, 1 recipient, kept open',
    metric: 'messages/s',
  },
  {
    title: 'Small mail, 10 sessions, a new one for each mail: messages per second',
    work: 'small',
    situation: '10 sessions, 1 recipient, new session each',
    metric: 'messages/s',
  },
  {
    title: 'Small mail, 10 sessions kept open: CPU seconds per 1,000 messages (less is better)',
    work: 'small',
    situation: '10 sessions, 1 recipient, kept open',
    metric: 'CPU s/1000 messages',
  },
  {
    title: '25 MiB detached by the relay alone: MB per second',
    work: 'detaching',
    situation: '25 MiB, 1 parallel',
    metric: 'MB/s',
  },
  {
    title: '25 MiB behind Postfix: CPU seconds per GB, Postfix included (less is better)',
    work: 'chain',
    situation: '25 MiB, 1 parallel',
    metric: 'CPU s/GB',
  },
  {
    title: 'Peak memory, 20 parallel messages of 25 MiB: MB (less is better)',
    work: 'memory',
    situation: '25 MiB, 20 parallel',
    metric: 'peak MB',
  },
];

const size = { width: 860, label: 280, bar: 440, line: 24, title: 34 } as const;

export function renderPlot(results: Results): string {
  let y = 8;
  const parts: string[] = [];
  for (const panel of panels) {
    const rows = results.rows.filter(
      (row) => row.work === panel.work && row.situation === panel.situation && row.metric === panel.metric,
    );
    if (rows.length === 0) continue;
    parts.push(text({ x: 8, y: y + 20, content: panel.title, weight: 'bold' }));
    y += size.title;
    const most = Math.max(...rows.map((row) => row.max));
    for (const row of rows) {
      const width = Math.max(1, (row.median / most) * size.bar);
      const spread = { from: size.label + (row.min / most) * size.bar, to: size.label + (row.max / most) * size.bar };
      parts.push(
        text({ x: size.label - 8, y: y + 15, content: row.peer, anchor: 'end' }),
        `<rect x="${size.label}" y="${y}" width="${width.toFixed(1)}" height="18" fill="${row.peer === ours ? '#2a7de1' : '#9aa5b1'}"/>`,
        `<path d="M${spread.from.toFixed(1)} ${y + 9}H${spread.to.toFixed(1)}" stroke="#c0392b" stroke-width="2"/>`,
        text({ x: Math.max(size.label + width, spread.to) + 8, y: y + 15, content: format(row.median) }),
      );
      y += size.line;
    }
    y += 12;
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${y}" viewBox="0 0 ${size.width} ${y}" ` +
    `font-family="sans-serif" font-size="13">\n<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`
  );
}

interface Text {
  readonly x: number;
  readonly y: number;
  readonly content: string;
  readonly anchor?: 'start' | 'end';
  readonly weight?: 'normal' | 'bold';
}

function text({ x, y, content, anchor = 'start', weight = 'normal' }: Text): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" font-weight="${weight}">${escaped}</text>`;
}
