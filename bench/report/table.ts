import { ours, rate } from '../measure/figure.ts';
import { type Verdict, met } from '../targets.ts';
import type { Results, Row } from './results.ts';

/**
 * Every figure with its spread, and the ratio by which Detach MTA is better (above 1) or worse (below 1). Where settings
 * are compared and not programs, the ratio to the first of each situation.
 */
export function renderWork(results: Results, work: string): string {
  const rows = results.rows.filter((row) => row.work === work);
  const cells = rows.map((row, i) => [
    row.situation === rows[i - 1]?.situation ? '' : row.situation,
    row.peer,
    row.metric,
    format(row.median),
    row.count > 1 ? `${format(row.min)} … ${format(row.max)}` : '',
    settings(work) ? besideFirst(rows, row) : advantage(results, row),
  ]);
  const header = settings(work) ? ['setting', 'value', 'unit', 'median', 'spread', 'beside the first'] : usualHeader;
  return renderTable([header, ...cells]);
}

const usualHeader = ['situation', 'who', 'unit', 'median', 'spread', `${ours} is better by`];

const settings = (work: string): boolean => work === 'tuning';

function besideFirst(rows: readonly Row[], row: Row): string {
  const first = rows.find(({ situation, metric }) => situation === row.situation && metric === row.metric);
  return first === undefined || first === row || first.median === 0 ? '' : `${format(row.median / first.median)}×`;
}

export function renderVerdicts(verdicts: readonly Verdict[]): string {
  const cells = verdicts.map((verdict) => {
    const { target, value, limit, bound, unit } = verdict;
    const verdictText = { true: 'pass', false: 'MISS', undefined: 'not measured' }[String(met(verdict))] ?? '';
    return [
      target,
      value === undefined ? '' : `${format(value)} ${unit}`,
      `${bound} ${format(limit)} ${unit}`,
      verdictText,
    ];
  });
  return renderTable([['target', 'measured', 'wanted', ''], ...cells]);
}

function advantage(results: Results, row: Row): string {
  if (row.peer === ours) return '';
  const mine = results.median({ ...row, peer: ours });
  if (mine === undefined || mine <= 0 || row.median <= 0) return '';
  return `${format(rate(row.metric) ? mine / row.median : row.median / mine)}×`;
}

export function format(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

/** Markdown, aligned for reading as plain text. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const [header = []] = rows;
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0), 3));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n');
}
