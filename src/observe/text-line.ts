import { onOneLine } from '../smtp/one-line.ts';
import type { Fields } from './interface.ts';

export type Severity = 'debug' | 'info' | 'warn' | 'error';

export interface Line {
  readonly severity: Severity;
  readonly event: string;
  /** Plain JSON, as `toLoggable` makes it. */
  readonly fields: Fields;
  readonly now: Date;
}

/** Codes of a terminal: dim, none, yellow, red. */
const colours: Readonly<Record<Severity, string>> = { debug: '2', info: '0', warn: '33', error: '31' };

/** One line for a person: time, level, event and what is known, in columns where all lines have the same. */
export function textLine({ severity, event, fields, now }: Line, colour: boolean): string {
  const time = now.toISOString().replace('T', ' ').replace('Z', '');
  const rest = event === 'transaction' ? transaction(fields) : pairs(fields);
  const line = onOneLine(`${time}  ${severity.padEnd(5)}  ${rest.begin(event)}`).trimEnd();
  return colour && severity !== 'info' ? `\x1b[${colours[severity]}m${line}\x1b[0m\n` : `${line}\n`;
}

interface Rest {
  readonly begin: (event: string) => string;
}

const pairs = (fields: Fields): Rest => ({
  begin: (event) => `${event.padEnd(16)}  ${listed(fields)}`,
});

/** What stands in columns of its own, or says what the columns say. */
const inColumns = [
  'outcome',
  'queueId',
  'from',
  'recipients',
  'recipientCount',
  'bytesIn',
  'bytesOut',
  'files',
  'seconds',
];

/** Outcome, queue id of the sending Postfix, bytes in and out, files, seconds, from, to; then the rest. */
function transaction(fields: Fields): Rest {
  const columns = [
    text(fields['outcome']).padEnd(9),
    text(fields['queueId'] ?? '-').padEnd(15),
    `${bytes(fields['bytesIn'])} > ${bytes(fields['bytesOut'])}`,
    `${Array.isArray(fields['files']) ? fields['files'].length : 0} files`.padStart(8),
    `${typeof fields['seconds'] === 'number' ? fields['seconds'].toFixed(3) : '-'} s`.padStart(10),
    `${text(fields['from'] ?? '<>')} > ${recipients(fields)}`,
  ];
  const others = Object.fromEntries(Object.entries(fields).filter(([name]) => !inColumns.includes(name)));
  return { begin: () => `${columns.join('  ')}  ${listed(others)}` };
}

const maxShown = 3;

function recipients({ recipients, recipientCount }: Fields): string {
  const list = Array.isArray(recipients) ? (recipients as readonly unknown[]) : [];
  const shown = list.slice(0, maxShown).map((each) => {
    const { path, reply } = each as { readonly path?: unknown; readonly reply?: unknown };
    return `${text(path)} (${text(reply)})`;
  });
  const more = (typeof recipientCount === 'number' ? recipientCount : list.length) - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const units = ['B', 'kB', 'MB', 'GB'] as const;

/** Eight characters wide. */
function bytes(value: unknown): string {
  if (typeof value !== 'number') return '-'.padStart(8);
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  const amount = value / 1000 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)} ${units[power]}`.padStart(8);
}

const listed = (fields: Fields): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ');

/** As in logfmt: quotes where a blank or a quote would end the value. */
function quoted(value: unknown): string {
  const plain = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && (plain === '' || /[\s"=]/.test(plain)) ? JSON.stringify(plain) : plain;
}

function text(value: unknown): string {
  if (value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
