import type { Link } from '../../storage/interface.ts';
import { escapeHtml } from '../escape-html.ts';
import { type Language, words } from '../words/languages.ts';
import type { MessageName } from '../words/words.ts';
import { writtenEnd, writtenSize } from '../words/written.ts';
import { style } from './style.ts';

/** The page of a living link: what the file is, and one way to get it. `href` leads to the bytes. */
export function filePage(link: Link, href: string, language: Language): string {
  const ours = words[language];
  const { heading, download, hint } = ours.page;
  const until = writtenEnd(ours, link.expires === null ? undefined : new Date(link.expires));
  const kind = extensionOf(link.name);
  return page({
    language,
    title: link.name,
    main: `${sheet(kind)}
<p class="eyebrow">${heading}</p>
<h1><bdi>${escapeHtml(link.name)}</bdi></h1>
<p class="facts">${escapeHtml(kind || link.type)} · ${writtenSize(ours, link.size)}</p>
<p>${capital(until)}</p>
<a class="button" href="${escapeHtml(href)}" rel="nofollow noreferrer" download>${download}</a>
<p class="hint">${hint}</p>`,
  });
}

export function messagePage(name: MessageName, language: Language): string {
  const { title, text } = words[language].page[name];
  return page({ language, title, main: `${sheet('')}\n<h1>${title}</h1>\n<p>${text}</p>` });
}

interface Page {
  readonly language: Language;
  readonly title: string;
  /** HTML. */
  readonly main: string;
}

const page = ({ language, title, main }: Page): string => `<!doctype html>
<html lang="${language}" dir="${words[language].direction}">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<style>${style}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;

/** A sheet of paper with a folded corner, and on it what kind of file it is. */
const sheet = (kind: string): string =>
  `<svg viewBox="0 0 72 88" aria-hidden="true" focusable="false"><path class="sheet" d="M8 2h38l24 24v56a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4V6a4 4 0 0 1 4-4z"/><path class="fold" d="M46 2v20a4 4 0 0 0 4 4h20"/><text class="kind" x="37" y="62">${kind}</text></svg>`;

const extensionOf = (name: string): string => (/\.([a-z0-9]{1,5})$/i.exec(name)?.[1] ?? '').toUpperCase();

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
