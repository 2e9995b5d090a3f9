import type { Link } from '../../storage/interface.ts';
import { escapeHtml } from '../escape-html.ts';
import { type Language, words } from '../words/languages.ts';
import { writtenDate, writtenEnd, writtenSize } from '../words/written.ts';
import { type PageFrame, sheet } from './page.ts';
import { seen, senderOf, shortened } from './stated.ts';

/** What the operator lets a page say of the message. */
export interface Shown {
  readonly sender: boolean;
  readonly subject: boolean;
}

export interface FilePageOptions {
  readonly frame: PageFrame;
  readonly shown: Shown;
  readonly language: Language;
  /** Leads to the bytes. */
  readonly href: string;
}

/** The page of a living link: this one file, and one way to get it. */
export function filePage(link: Link, { frame, shown, language, href }: FilePageOptions): string {
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
${statedFacts(link, shown, language)}<details><summary>${checksum}</summary><code>${link.sha256}</code></details>`,
  });
}

/** What links and pages know of the message that they belong to. */
export interface Message {
  readonly created: string;
  readonly reversePath: string;
  readonly from?: string;
  readonly subject?: string;
}

function statedFacts(message: Message, shown: Shown, language: Language): string {
  const ours = words[language];
  const { sender, subject, sent } = ours.page;
  const facts: [label: string, html: string][] = [];
  if (shown.sender) facts.push([sender, senderHtml(message.from ?? message.reversePath)]);
  if (shown.subject && message.subject !== undefined) {
    facts.push([subject, `<bdi>${escapeHtml(shortened(seen(message.subject)))}</bdi>`]);
  }
  facts.push([sent, writtenDate(ours, new Date(message.created))]);
  return `<dl>\n${facts.map(([label, html]) => `<div><dt>${label}</dt><dd>${html}</dd></div>\n`).join('')}</dl>\n`;
}

/** Name and address apart, so that the letters of one cannot turn the other around. */
function senderHtml(from: string): string {
  const { name, address } = senderOf(from);
  const shown = `<bdi>${escapeHtml(name === '' ? address : `<${address}>`)}</bdi>`;
  return name === '' ? shown : `<bdi>${escapeHtml(name)}</bdi> ${shown}`;
}

const extensionOf = (name: string): string => (/\.([a-z0-9]{1,5})$/i.exec(name)?.[1] ?? '').toUpperCase();

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
