import type { Notice, NoticeItem } from './interface.ts';
import { languages, type Language } from './notice/language.ts';
import { compileHtml, compileText } from './notice/template.ts';

export interface NoticeOptions {
  readonly language: Language;
  /** Sources of the operator's own templates, as `readTemplates` reads them. */
  readonly templates?: { readonly text?: string | undefined; readonly html?: string | undefined };
}

/** @throws TemplateError for a template that cannot be used: to be told at start, with the key of the configuration */
export function createNotice({ language, templates = {} }: NoticeOptions): Notice {
  const words = languages[language];
  const text = compileText(templates.text ?? words.text);
  const html = compileHtml(templates.html ?? words.html);
  const values = (item: NoticeItem) => ({
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
