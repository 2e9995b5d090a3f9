import { escapeHtml } from '../escape-html.ts';
import { checkHtml } from './check-html.ts';
import { TemplateError } from './template-error.ts';

const placeholders = ['name', 'size', 'type', 'url', 'expires'] as const;
type Placeholder = (typeof placeholders)[number];
export type Values = Readonly<Record<Placeholder, string>>;

/** Every second one is the name of a placeholder, as `split` returns it. */
type Line = readonly string[];

interface Template {
  readonly before: string;
  readonly each: readonly Line[];
  readonly after: string;
}

export type Render = (items: readonly Values[]) => string;

/** Where the name stands in a line that gets longer than this, the name is shortened; the link never is. */
const textWidth = 76;

/**
 * UTF-8 of a name as it is shown, escaped: a letter says it twice, in base64 or in `=E6=97=A5` perhaps, and what is
 * said of one file takes less than 1,000 bytes. The page and the file itself have the whole name.
 */
const maxNameBytes = 48;

/** With the longest values in place and escaped, a line stays under the 998 bytes of RFC 5322 section 2.1.1. */
const htmlWidth = 240;

/**
 * The text is what stands around `{{#files}}` and `{{/files}}`, and between them once for each file, with
 * `{{name}}`, `{{size}}`, `{{type}}`, `{{url}}` and `{{expires}}` in their places.
 * @throws TemplateError
 */
export function compileText(source: string): Render {
  const template = parse(source, textWidth);
  return (items) => {
    const blocks = items.map((values) => template.each.map((line) => renderTextLine(line, values)).join('\n'));
    const lines = (template.before + blocks.join('') + template.after).split('\n');
    return `${lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trim()}\n`;
  };
}

/**
 * The same for HTML: values are escaped, and may stand in text and in a few attributes only.
 * @throws TemplateError
 */
export function compileHtml(source: string): Render {
  const template = parse(source, htmlWidth);
  checkHtml(source);
  return (items) => {
    const blocks = items.map((values) =>
      template.each.map((line) => fill(line, (key) => escapeLine(shown(values, key)))).join('\n'),
    );
    return template.before + blocks.join('') + template.after;
  };
}

function parse(source: string, width: number): Template {
  const text = source
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n')
    .replace(/\n*$/, '\n');
  text.split('\n').forEach((line, i) => {
    if (line.replace(/\{\{\w+\}\}/g, '').length > width) {
      throw new TemplateError(`line ${i + 1} is longer than ${width} characters`);
    }
    if (/[^\P{Cc}\t]/u.test(line)) throw new TemplateError(`line ${i + 1} has a control character`);
  });
  const [before, each, ...rest] = text.split(/\{\{#files\}\}\n?/);
  const [inner, after, ...more] = (each ?? '').split(/\{\{\/files\}\}\n?/);
  if (before === undefined || inner === undefined || after === undefined || rest.length + more.length > 0) {
    throw new TemplateError('needs one {{#files}} and one {{/files}} after it');
  }
  for (const outer of [before, after]) {
    const stray = /\{\{[^}]*\}?\}?/.exec(outer)?.[0];
    if (stray !== undefined) throw new TemplateError(`${stray} stands outside of {{#files}} and {{/files}}`);
  }
  const lines = inner.split('\n').map((line) => line.split(/\{\{(\w+)\}\}/));
  for (const line of lines) line.forEach((piece, i) => checkPiece(piece, i % 2 === 1));
  if (!inner.includes('{{url}}')) throw new TemplateError('has no {{url}} for its files');
  return { before, each: lines, after };
}

function checkPiece(piece: string, isPlaceholder: boolean): void {
  if (isPlaceholder ? (placeholders as readonly string[]).includes(piece) : !piece.includes('{{')) return;
  const known = placeholders.map((name) => `{{${name}}}`).join(', ');
  throw new TemplateError(`unknown placeholder ${isPlaceholder ? `{{${piece}}}` : piece}: there are ${known}`);
}

const fill = (line: Line, value: (placeholder: Placeholder) => string): string =>
  line.map((piece, i) => (i % 2 === 1 ? value(piece as Placeholder) : piece)).join('');

function renderTextLine(line: Line, values: Values): string {
  const full = fill(line, (key) => oneLine(shown(values, key)));
  const excess = full.length - textWidth;
  if (excess <= 0 || !line.some((piece, i) => i % 2 === 1 && piece === 'name')) return full;
  const name = oneLine(shown(values, 'name'));
  const shorter = shorten(name, Math.max(24, name.length - excess), (character) => character.length);
  return fill(line, (key) => (key === 'name' ? shorter : oneLine(values[key])));
}

const shown = (values: Values, key: Placeholder): string =>
  key === 'name'
    ? shorten(values.name, maxNameBytes, (character) => Buffer.byteLength(escapeHtml(character)))
    : values[key];

/** The end of a name says more than its middle: the extension, a version, a date. */
function shorten(name: string, room: number, widthOf: (character: string) => number): string {
  const characters = Array.from(name);
  const widths = characters.map(widthOf);
  if (widths.reduce((sum, width) => sum + width, 0) <= room) return name;
  const left = room - ellipsis.length;
  const tail = countThatFits(widths.toReversed(), left / 3);
  const tailWidth = widths.slice(widths.length - tail).reduce((sum, width) => sum + width, 0);
  const head = countThatFits(widths, left - tailWidth);
  return characters.slice(0, head).join('') + ellipsis + characters.slice(characters.length - tail).join('');
}

const ellipsis = '...';

function countThatFits(widths: readonly number[], room: number): number {
  let used = 0;
  const first = widths.findIndex((width) => (used += width) > room);
  return first < 0 ? widths.length : first;
}

const oneLine = (value: string): string => value.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');

const escapeLine = (value: string): string => escapeHtml(oneLine(value));
