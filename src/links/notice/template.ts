import { escapeHtml } from '../escape-html.ts';
import { checkHtml } from './check-html.ts';
import { shorten } from './shown-names.ts';
import { TemplateError } from './template-error.ts';

const general = ['expires', 'organisation', 'contact', 'page'] as const;
const placeholders = ['name', 'size', 'kind', 'type', 'url', ...general] as const;
type Placeholder = (typeof placeholders)[number];
/** Of one file. */
export type Values = Readonly<Record<Placeholder, string>>;
/** Of the whole notice. */
export type GeneralValues = Readonly<Record<(typeof general)[number], string>>;

/** Every second one is the name of a placeholder, as `split` returns it. */
type Line = readonly string[];

interface Template {
  readonly before: readonly Line[];
  readonly each: readonly Line[];
  readonly after: readonly Line[];
}

export type Render = (items: readonly Values[], all: GeneralValues) => string;

/** Where the name stands in a line that gets longer than this, the name is shortened; the link never is. */
const textWidth = 76;

/** With the longest values in place and escaped, a line stays under the 998 bytes of RFC 5322 section 2.1.1. */
const htmlWidth = 240;

/**
 * The text is what stands around `{{#files}}` and `{{/files}}`, and between them once for each file, with
 * `{{name}}`, `{{size}}`, `{{kind}}`, `{{type}}` and `{{url}}` in their places; everywhere `{{expires}}`,
 * `{{organisation}}`, `{{contact}}` and `{{page}}`.
 * @throws TemplateError
 */
export function compileText(source: string): Render {
  const template = parse(source, textWidth);
  return (items, all) => {
    const outer = (lines: readonly Line[]): string =>
      lines.map((line) => fill(line, (key) => oneLine(valueOf(all, key)))).join('\n');
    const blocks = items.map((values) => template.each.map((line) => renderTextLine(line, values)).join('\n'));
    const lines = (outer(template.before) + blocks.join('') + outer(template.after)).split('\n');
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
  return (items, all) => {
    const outer = (lines: readonly Line[]): string =>
      lines.map((line) => fill(line, (key) => escapeLine(valueOf(all, key)))).join('\n');
    const blocks = items.map((values) =>
      template.each.map((line) => fill(line, (key) => escapeLine(values[key]))).join('\n'),
    );
    return outer(template.before) + blocks.join('') + outer(template.after);
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
  const [head, lines, foot] = [before, inner, after].map(linesOf) as [Line[], Line[], Line[]];
  for (const line of [...head, ...foot]) line.forEach((piece, i) => checkOuterPiece(piece, i % 2 === 1));
  for (const line of lines) line.forEach((piece, i) => checkPiece(piece, i % 2 === 1));
  if (!inner.includes('{{url}}')) throw new TemplateError('has no {{url}} for its files');
  return { before: head, each: lines, after: foot };
}

const linesOf = (source: string): Line[] => source.split('\n').map((line) => line.split(/\{\{(\w+)\}\}/));

function checkOuterPiece(piece: string, isPlaceholder: boolean): void {
  if (isPlaceholder && (placeholders as readonly string[]).includes(piece)) {
    if ((general as readonly string[]).includes(piece)) return;
    throw new TemplateError(`{{${piece}}} stands outside of {{#files}} and {{/files}}`);
  }
  checkPiece(piece, isPlaceholder);
}

function checkPiece(piece: string, isPlaceholder: boolean): void {
  if (isPlaceholder ? (placeholders as readonly string[]).includes(piece) : !piece.includes('{{')) return;
  const known = placeholders.map((name) => `{{${name}}}`).join(', ');
  throw new TemplateError(`unknown placeholder ${isPlaceholder ? `{{${piece}}}` : piece}: there are ${known}`);
}

const fill = (line: Line, value: (placeholder: Placeholder) => string): string =>
  line.map((piece, i) => (i % 2 === 1 ? value(piece as Placeholder) : piece)).join('');

const valueOf = (all: GeneralValues, key: Placeholder): string => (key in all ? all[key as keyof GeneralValues] : '');

function renderTextLine(line: Line, values: Values): string {
  const full = fill(line, (key) => oneLine(values[key]));
  const excess = full.length - textWidth;
  if (excess <= 0 || !line.some((piece, i) => i % 2 === 1 && piece === 'name')) return full;
  const name = oneLine(values.name);
  const shorter = shorten(name, { room: Math.max(24, name.length - excess) });
  return fill(line, (key) => (key === 'name' ? shorter : oneLine(values[key])));
}

const oneLine = (value: string): string => value.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');

const escapeLine = (value: string): string => escapeHtml(oneLine(value));
