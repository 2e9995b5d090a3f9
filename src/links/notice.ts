import { readFileSync } from 'node:fs';
import type { Notice, NoticeItem } from './interface.ts';
import { languages, type Language } from './notice/language.ts';
import { compileHtml, compileText, type Render, type Values } from './notice/template.ts';
import { TemplateError } from './notice/template-error.ts';

export interface NoticeOptions {
  readonly language: Language;
  /** Paths of the operator's own templates in UTF-8, read once; undefined: the built-in ones. */
  readonly templates?: { readonly text?: string | undefined; readonly html?: string | undefined };
}

/**
 * The notice in the words of the language, or of the operator.
 * @throws TemplateError at start, with the key of the configuration, for a template that cannot be read or used
 */
export function createNotice({ language, templates = {} }: NoticeOptions): Notice {
  const words = languages[language];
  const text = templates.text === undefined ? compileText(words.text) : load('text', templates.text, compileText);
  const html = templates.html === undefined ? compileHtml(words.html) : load('html', templates.html, compileHtml);
  const values = (item: NoticeItem): Values => ({
    name: item.name,
    size: words.size(item.size),
    type: item.type,
    url: item.url,
    expires: words.expires(item.expires),
  });
  return {
    text: (items) => text(items.map(values)),
    html: (items) => html(items.map(values)),
  };
}

function load(key: 'text' | 'html', path: string, compile: (source: string) => Render): Render {
  try {
    return compile(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TemplateError(`links.templates.${key}: ${path}: ${why}`, { cause: error });
  }
}
