import { escapeHtml } from '../escape-html.ts';
import { type Language, words } from '../words/languages.ts';
import type { MessageName } from '../words/words.ts';
import type { Branding } from './branding.ts';
import type { PageTemplate } from './page-template.ts';
import { pageStyle, type Style } from './style.ts';

interface Content {
  readonly language: Language;
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** HTML that says why the file is here; undefined: no file is kept. */
  readonly hint?: string;
  readonly wide?: boolean;
}

/** The operator's own pages, in one language whatever the browser asks for. */
export interface OwnPages {
  readonly language: Language;
  readonly filePage?: PageTemplate | undefined;
  readonly messagePage?: PageTemplate | undefined;
}

/** The frame of all pages: at the top who keeps the files, at the bottom whom to ask. */
export class PageFrame {
  readonly style: Style;
  readonly branding: Branding;
  readonly own: OwnPages;

  constructor(branding: Branding, own: OwnPages = { language: 'en' }) {
    this.branding = branding;
    this.own = own;
    this.style = pageStyle(branding.colour, (own.filePage?.css ?? '') + (own.messagePage?.css ?? ''));
  }

  /** A page that has nothing to download. */
  message(name: MessageName, language: Language): string {
    const { title, text } = words[language].page[name];
    return this.page({ language, title, body: `${sheet('')}\n<h1>${title}</h1>\n<p>${text}</p>` });
  }

  page({ language, title, body, hint, wide }: Content): string {
    return `<!doctype html>
<html lang="${language}" dir="${words[language].direction}">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<style>${this.style.css}</style>
</head>
<body>
<main${wide === true ? ' class="wide"' : ''}>
${this.#keeper(language, hint !== undefined)}<div class="body">
${body}
</div>
${this.#footer(language, hint)}</main>
</body>
</html>
`;
  }

  #keeper(language: Language, keeps: boolean): string {
    const { logo, organisation } = this.branding;
    if (logo === undefined && organisation === undefined) return '';
    const image = logo === undefined ? '' : `<img src="${logo}" alt="">`;
    const { keeper } = words[language].page;
    const name = organisation === undefined ? '' : keeps ? keeper(organisation) : organisation;
    return `<header>${image}<span>${escapeHtml(name)}</span></header>\n`;
  }

  #footer(language: Language, hint: string | undefined): string {
    const { contact } = this.branding;
    const paragraphs = hint === undefined ? [] : [hint];
    if (contact !== undefined) {
      const href = /^https?:\/\//i.test(contact) ? contact : `mailto:${contact}`;
      const link = `<a href="${escapeHtml(href)}" rel="noreferrer">${escapeHtml(contact)}</a>`;
      paragraphs.push(`${words[language].page.questions} ${link}`);
    }
    if (paragraphs.length === 0) return '';
    return `<footer>${paragraphs.map((text) => `<p>${text}</p>`).join('\n')}</footer>\n`;
  }
}

/** A picture of a sheet of paper with the kind of file on it. */
export const sheet = (kind: string): string =>
  `<svg viewBox="0 0 72 88" aria-hidden="true" focusable="false"><path class="sheet" d="M8 2h38l24 24v56a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4V6a4 4 0 0 1 4-4z"/><path class="fold" d="M46 2v20a4 4 0 0 0 4 4h20"/><text class="kind" x="37" y="62">${kind}</text></svg>`;
