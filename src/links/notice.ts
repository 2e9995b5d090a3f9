import { readFileSync } from 'node:fs';
import type { Notice, NoticeItem } from './interface.ts';
import { builtIn } from './notice/built-in.ts';
import { compileHtml, compileText, type Render, type Values } from './notice/template.ts';
import { TemplateError } from './notice/template-error.ts';
import { words, type Language } from './words/languages.ts';
import { writtenEnd, writtenSize } from './words/written.ts';

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
  const ours = words[language];
  const preset = builtIn(ours);
  const text = templates.text === undefined ? compileText(preset.text) : load('text', templates.text, compileText);
  const html = templates.html === undefined ? compileHtml(preset.html) : load('html', templates.html, compileHtml);
  const values = (item: NoticeItem): Values => ({
    name: item.name,
    size: writtenSize(ours, item.size),
    type: item.type,
    url: item.url,
    expires: writtenEnd(ours, item.expires),
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
