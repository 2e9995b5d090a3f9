/** A template as stretches of lines: those of a section stand once for each row of it, all others once. */
import { TemplateError } from './template-error.ts';

export interface Grammar {
  /** Placeholders that may stand anywhere. */
  readonly general: readonly string[];
  /** Sections, and the placeholders that each has besides. `files` must be there, and have `{{url}}`. */
  readonly sections: Readonly<Record<string, readonly string[]>>;
  /** Characters of a line without its placeholders. */
  readonly width: number;
}

/** Every second one is the name of a placeholder, as `split` returns it. */
export type TemplateLine = readonly string[];

export interface Segment {
  /** undefined: it stands in none. */
  readonly section: string | undefined;
  readonly lines: readonly TemplateLine[];
}

export type Row = Readonly<Record<string, string>>;

/** @throws TemplateError */
export function parseSegments(source: string, grammar: Grammar): Segment[] {
  const text = source
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n')
    .replace(/\n*$/, '\n');
  checkLines(text, grammar.width);
  const segments: Segment[] = [];
  let open: string | undefined;
  const [first = '', ...marks] = text.split(/\{\{([#/])(\w+)\}\}\n?/);
  segments.push({ section: undefined, lines: linesOf(first) });
  for (let i = 0; i < marks.length; i += 3) {
    const [sign, name = '', inner = ''] = marks.slice(i, i + 3);
    if (!Object.hasOwn(grammar.sections, name)) unknown(`{{${sign}${name}}}`, grammar);
    const isWrong =
      sign === '#' ? open !== undefined || segments.some(({ section }) => section === name) : open !== name;
    if (isWrong) misplaced(name);
    open = sign === '#' ? name : undefined;
    segments.push({ section: open, lines: linesOf(inner) });
  }
  if (open !== undefined) misplaced(open);
  checkSegments(segments, grammar);
  return segments;
}

/** What one segment says for a row. */
export const fillSegment = ({ lines }: Segment, value: (line: TemplateLine) => string): string =>
  lines.map(value).join('\n');

export const fillLine = (line: TemplateLine, value: (placeholder: string) => string): string =>
  line.map((piece, i) => (i % 2 === 1 ? value(piece) : piece)).join('');

const linesOf = (source: string): TemplateLine[] => source.split('\n').map((line) => line.split(/\{\{(\w+)\}\}/));

function checkLines(text: string, width: number): void {
  text.split('\n').forEach((line, i) => {
    if (line.replace(/\{\{\w+\}\}/g, '').length > width) {
      throw new TemplateError(`line ${i + 1} is longer than ${width} characters`);
    }
    if (/[^\P{Cc}\t]/u.test(line)) throw new TemplateError(`line ${i + 1} has a control character`);
  });
}

function checkSegments(segments: readonly Segment[], grammar: Grammar): void {
  const files = segments.find(({ section }) => section === 'files');
  if (files === undefined) return misplaced('files');
  for (const { section, lines } of segments) {
    for (const line of lines) line.forEach((piece, i) => checkPiece(piece, i % 2 === 1, { section, grammar }));
  }
  if (!files.lines.some((line) => line.some((piece, i) => i % 2 === 1 && piece === 'url')))
    throw new TemplateError('has no {{url}} for its files');
}

function checkPiece(
  piece: string,
  isPlaceholder: boolean,
  { section, grammar }: { readonly section: string | undefined; readonly grammar: Grammar },
): void {
  if (!isPlaceholder && !piece.includes('{{')) return;
  const own = section === undefined ? [] : (grammar.sections[section] ?? []);
  if (isPlaceholder && (grammar.general.includes(piece) || own.includes(piece))) return;
  const elsewhere = Object.entries(grammar.sections).find(([, names]) => names.includes(piece))?.[0];
  if (isPlaceholder && elsewhere !== undefined)
    throw new TemplateError(`{{${piece}}} stands outside of {{#${elsewhere}}} and {{/${elsewhere}}}`);
  unknown(isPlaceholder ? `{{${piece}}}` : piece, grammar);
}

function misplaced(section: string): never {
  throw new TemplateError(`needs one {{#${section}}} and one {{/${section}}} after it`);
}

function unknown(what: string, { general, sections }: Grammar): never {
  const known = [...new Set([...Object.values(sections).flat(), ...general])].map((name) => `{{${name}}}`).join(', ');
  throw new TemplateError(`unknown placeholder ${what}: there are ${known}`);
}
