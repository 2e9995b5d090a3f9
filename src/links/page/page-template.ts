/**
 * The operator's own words and style for a page: what stands between its head, which says who keeps the files, and its
 * foot. The head, the policy that forbids scripts and the address of the bytes stay ours.
 */
import { maxTemplateBytes, readOperatorFile, textOf } from '../../config/operator-file.ts';
import { escapeHtml } from '../escape-html.ts';
import { checkHtml } from '../notice/check-html.ts';
import { fillLine, fillSegment, parseSegments, type Grammar, type Row } from '../notice/segments.ts';
import { TemplateError } from '../notice/template-error.ts';
import { errorText } from '../../smtp/failures.ts';
import { oneLine } from '../notice/template.ts';

/** Only files that can be downloaded are `files`; the others are `missing`, and have a state instead of an address. */
export interface PageRows {
  readonly files: readonly Row[];
  readonly missing: readonly Row[];
}

export interface PageTemplate {
  /** Of the `<style>` element at its beginning, '' where there is none. */
  readonly css: string;
  readonly render: (rows: PageRows, all: Row) => string;
}

const general = ['expires', 'organisation', 'contact', 'page', 'sender', 'subject', 'sent'];
const ofFile = ['name', 'size', 'kind', 'type', 'url', 'sha256'];
const width = 1000;

const grammars: Readonly<Record<'filePage' | 'messagePage', Grammar>> = {
  filePage: { general, sections: { files: ofFile }, width },
  messagePage: {
    general: [...general, 'archive'],
    sections: { files: [...ofFile, 'state'], missing: ['name', 'size', 'kind', 'type', 'state'] },
    width,
  },
};

export type PageKey = keyof typeof grammars;

/** @throws TemplateError with the key of the configuration, for a template that cannot be read or used */
export function loadPageTemplate(key: PageKey, path: string): PageTemplate {
  try {
    return compilePage(key, textOf(readOperatorFile(path, { maxBytes: maxTemplateBytes })));
  } catch (error) {
    const why = errorText(error);
    throw new TemplateError(`links.templates.${key}: ${path}: ${why}`, { cause: error });
  }
}

/** @throws TemplateError */
export function compilePage(key: PageKey, source: string): PageTemplate {
  const [style = '', css = ''] = /^\s*<style>([^]*?)<\/style>\n?/i.exec(source) ?? [];
  checkCss(css);
  // Lines keep their numbers.
  const body = style.replace(/[^\n]/g, '') + source.slice(style.length);
  const segments = parseSegments(body, grammars[key]);
  checkHtml(body, { addresses: ['url', 'page', 'archive'], isPage: true });
  return {
    css,
    render(rows, all) {
      const rowsOf = (section: string | undefined): readonly Row[] =>
        section === undefined ? [all] : section === 'missing' ? rows.missing : rows.files;
      return segments
        .flatMap((segment) =>
          rowsOf(segment.section).map((row) =>
            fillSegment(segment, (line) => fillLine(line, (name) => escapeLine(row[name] ?? all[name] ?? ''))),
          ),
        )
        .join('')
        .trim();
    },
  };
}

/** Browsers fetch nothing for a page: what looks for it would be missing without a word. */
function checkCss(css: string): void {
  const [fetched] = /@import|url\((?!\s*["']?data:)[^)]*\)?|image-set\(\s*["'](?!data:)[^)]*\)?|\{\{/i.exec(css) ?? [];
  if (fetched !== undefined) throw new TemplateError(`${fetched} is not possible in its style`);
}

const escapeLine = (value: string): string => escapeHtml(oneLine(value));
