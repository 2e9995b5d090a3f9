import { maxTemplateBytes, readOperatorFile, textOf } from '../config/operator-file.ts';
import { errorText } from '../smtp/failures.ts';
import type { Notice, NoticeContent } from './interface.ts';
import { builtInHtml, builtInText, type Filled } from './notice/built-in.ts';
import { kindOf } from './notice/kind.ts';
import { shownNames } from './notice/shown-names.ts';
import { oneLine, compileHtml, compileText, type Render, type Values } from './notice/template.ts';
import { TemplateError } from './notice/template-error.ts';
import { words, type Language } from './words/languages.ts';
import type { Words } from './words/words.ts';
import { writtenDate, writtenEnd, writtenSize } from './words/written.ts';

export interface NoticeOptions {
  readonly language: Language;
  /** Who keeps the files, and who answers questions: a mail address or the address of a page. */
  readonly organisation?: string | undefined;
  readonly contact?: string | undefined;
  /** If there are more files than this, the notice has one link for all of them. */
  readonly maxInNotice?: number;
  /** Paths of the operator's own templates in UTF-8, read once; undefined: the built-in ones. */
  readonly templates?: { readonly text?: string | undefined; readonly html?: string | undefined };
}

/**
 * Creates the notice, in the built-in words of the language or from the operator's templates.
 * @throws TemplateError at start, with the key of the configuration, for a template that cannot be read or used
 */
export function createNotice(options: NoticeOptions): Notice {
  const { language, templates = {}, maxInNotice = 5 } = options;
  const ours = words[language];
  const text = templates.text === undefined ? undefined : load(templates.text, { key: 'text', compile: compileText });
  const html = templates.html === undefined ? undefined : load(templates.html, { key: 'html', compile: compileHtml });
  return {
    maxLinks: maxInNotice,
    fileName: ours.notice.fileName,
    write(content) {
      const names = shownNames(content.items.map(({ name }) => oneLine(name)));
      const filled = fill(content, { words: ours, options, names, maxInNotice });
      const own = (render: Render): string => renderOwn(render, content, { words: ours, options, filled });
      return {
        text: text === undefined ? builtInText(ours, filled) : own(text),
        html: html === undefined ? builtInHtml(ours, filled) : own(html),
        names: names.join(''),
      };
    },
  };
}

interface Filling {
  readonly words: Words;
  readonly options: NoticeOptions;
}

function fill(
  { items, page, isContinued = false }: NoticeContent,
  {
    words: ours,
    options,
    names,
    maxInNotice,
  }: Filling & { readonly names: readonly string[]; readonly maxInNotice: number },
): Filled {
  const first = firstEnd(items.map(({ expires }) => expires));
  const date = first && writtenDate(ours, first);
  const { organisation, contact } = options;
  const isList = page !== undefined && items.length > maxInNotice;
  return {
    heading:
      organisation === undefined
        ? ours.notice.heading(date)
        : ours.notice.kept(organisation, { one: items.length === 1, date }),
    files: items.map(({ type, size, url }, i) => ({
      name: names[i]!,
      kind: ours.notice.kinds[kindOf(type)],
      size: writtenSize(ours, size),
      url: isList ? undefined : url,
    })),
    page,
    contact: isContinued ? undefined : contact,
  };
}

/** The date for all files: when the first of them expires. */
const firstEnd = (ends: readonly (Date | undefined)[]): Date | undefined =>
  ends.reduce((first, end) => (first === undefined || (end !== undefined && end < first) ? end : first), undefined);

function renderOwn(
  render: Render,
  { items }: NoticeContent,
  { words: ours, options, filled }: Filling & { readonly filled: Filled },
): string {
  const all = {
    organisation: options.organisation ?? '',
    contact: options.contact ?? '',
    page: filled.page ?? '',
    expires: writtenEnd(ours, firstEnd(items.map(({ expires }) => expires))),
  };
  const values = items.map((item, i): Values => {
    const { name, kind, size, url } = filled.files[i]!;
    return { ...all, name, kind, size, type: item.type, url: url ?? all.page, expires: writtenEnd(ours, item.expires) };
  });
  return render(values, all);
}

interface TemplateKind {
  readonly key: 'text' | 'html';
  readonly compile: (source: string) => Render;
}

function load(path: string, { key, compile }: TemplateKind): Render {
  try {
    return compile(textOf(readOperatorFile(path, { maxBytes: maxTemplateBytes })));
  } catch (error) {
    const why = errorText(error);
    throw new TemplateError(`links.templates.${key}: ${path}: ${why}`, { cause: error });
  }
}
