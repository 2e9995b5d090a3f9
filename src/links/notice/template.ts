import { escapeHtml } from '../escape-html.ts';
import { checkHtml } from './check-html.ts';
import { fillLine, fillSegment, parseSegments, type Grammar, type Segment, type TemplateLine } from './segments.ts';
import { shorten } from './shown-names.ts';

const general = ['expires', 'organisation', 'contact', 'page'] as const;
const ofFile = ['name', 'size', 'kind', 'type', 'url'] as const;
/** Of one file. */
export type Values = Readonly<Record<(typeof ofFile | typeof general)[number], string>>;
/** Of the whole notice. */
export type GeneralValues = Readonly<Record<(typeof general)[number], string>>;

export type Render = (items: readonly Values[], all: GeneralValues) => string;

/** A name is shortened if its line would be longer than this; a link never is. */
const textWidth = 76;

/** With the longest values in place and escaped, a line stays under the 998 bytes of RFC 5322 section 2.1.1. */
const htmlWidth = 240;

const grammar = (width: number): Grammar => ({ general, sections: { files: ofFile, page: [] }, width });

/**
 * The text is what stands around `{{#files}}` and `{{/files}}`, and between them once for each file, with
 * `{{name}}`, `{{size}}`, `{{kind}}`, `{{type}}` and `{{url}}` in their places; everywhere `{{expires}}`,
 * `{{organisation}}`, `{{contact}}` and `{{page}}`. What stands between `{{#page}}` and `{{/page}}` is left out where
 * there is no page of all files: with one file, and in a forwarded message.
 * @throws TemplateError
 */
export function compileText(source: string): Render {
  const segments = parseSegments(source, grammar(textWidth));
  return (items, all) => {
    const outer = (line: TemplateLine): string => fillLine(line, (key) => oneLine(all[key as keyof GeneralValues]));
    const lines = segments
      .map((segment) =>
        segment.section === 'files'
          ? items.map((values) => fillSegment(segment, (line) => renderTextLine(line, values))).join('')
          : isLeftOut(segment, all)
            ? ''
            : fillSegment(segment, outer),
      )
      .join('')
      .split('\n');
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
  const segments = parseSegments(source, grammar(htmlWidth));
  checkHtml(source);
  return (items, all) =>
    segments
      .map((segment) =>
        (segment.section === 'files' ? items : isLeftOut(segment, all) ? [] : [all as Values])
          .map((values) =>
            fillSegment(segment, (line) => fillLine(line, (key) => escapeLine(values[key as keyof Values]))),
          )
          .join(''),
      )
      .join('');
}

const isLeftOut = ({ section }: Segment, { page }: GeneralValues): boolean => section === 'page' && page === '';

function renderTextLine(line: TemplateLine, values: Values): string {
  const value = (key: string): string => oneLine(values[key as keyof Values]);
  const full = fillLine(line, value);
  const excess = full.length - textWidth;
  if (excess <= 0 || !line.some((piece, i) => i % 2 === 1 && piece === 'name')) return full;
  const name = oneLine(values.name);
  const shorter = shorten(name, { room: Math.max(24, name.length - excess) });
  return fillLine(line, (key) => (key === 'name' ? shorter : value(key)));
}

export const oneLine = (value: string): string => value.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');

const escapeLine = (value: string): string => escapeHtml(oneLine(value));
