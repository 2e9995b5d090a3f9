import type { Link } from '../../storage/interface.ts';
import { escapeHtml } from '../escape-html.ts';
import { type Language, words } from '../words/languages.ts';
import { writtenEnd, writtenSize } from '../words/written.ts';
import { ownFilePage } from './own-pages.ts';
import { type PageFrame, sheet } from './page.ts';
import { type Shown, statedFacts } from './stated-facts.ts';

export interface FilePageOptions {
  readonly frame: PageFrame;
  readonly shown: Shown;
  readonly language: Language;
  /** Leads to the bytes. */
  readonly href: string;
}

/** The page of a living link: this one file, and one way to get it. */
export function filePage(link: Link, options: FilePageOptions): string {
  const { frame, shown, language, href } = options;
  if (frame.own.filePage !== undefined) return ownFilePage(link, frame.own.filePage, options);
  const ours = words[language];
  const { heading, download, hint, checksum } = ours.page;
  const kind = extensionOf(link.name);
  return frame.page({
    language,
    title: link.name,
    hint,
    body: `${sheet(kind)}
<p class="eyebrow">${heading}</p>
<h1><bdi>${escapeHtml(link.name)}</bdi></h1>
<p class="facts">${escapeHtml(kind || link.type)} · ${writtenSize(ours, link.size)}</p>
<p>${capital(writtenEnd(ours, link.expires === null ? undefined : new Date(link.expires)))}</p>
<a class="button" href="${escapeHtml(href)}" rel="nofollow noreferrer" download>${download}</a>
${statedFacts(link, { shown, language })}<details><summary>${checksum}</summary><code>${link.sha256}</code></details>`,
  });
}

/** The extension in capitals, as people name a kind of file: PDF, JPEG. */
export const extensionOf = (name: string): string => (/\.([a-z0-9]{1,5})$/i.exec(name)?.[1] ?? '').toUpperCase();

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
