import { escapeHtml } from '../escape-html.ts';
import { type Language, words } from '../words/languages.ts';
import { writtenDate } from '../words/written.ts';
import { seen, senderOf, shortened } from './stated.ts';

/** What a page may show of the message, as the operator decided. */
export interface Shown {
  readonly sender: boolean;
  readonly subject: boolean;
}

/** What links and pages know of the message that they belong to. */
interface StatedMessage {
  readonly created: string;
  readonly reversePath: string;
  readonly from?: string;
  readonly subject?: string;
}

interface StatedOptions {
  readonly shown: Shown;
  readonly language: Language;
}

export function statedFacts(message: StatedMessage, { shown, language }: StatedOptions): string {
  const ours = words[language];
  const { sender, subject, sent } = ours.page;
  const facts: [label: string, html: string][] = [];
  if (shown.sender) facts.push([sender, senderHtml(fromOf(message))]);
  const about = shortened(seen(message.subject ?? ''));
  if (shown.subject && about !== '') facts.push([subject, `<bdi>${escapeHtml(about)}</bdi>`]);
  facts.push([sent, writtenDate(ours, new Date(message.created))]);
  return `<dl>\n${facts.map(([label, html]) => `<div><dt>${label}</dt><dd>${html}</dd></div>\n`).join('')}</dl>\n`;
}

/** The same as plain text, '' for what the operator does not show. */
export function statedTexts(
  message: StatedMessage,
  { shown, language }: StatedOptions,
): Readonly<Record<StatedKey, string>> {
  const { name, address } = senderOf(fromOf(message));
  return {
    sender: shown.sender ? (name === '' ? address : `${name} <${address}>`) : '',
    subject: shown.subject ? shortened(seen(message.subject ?? '')) : '',
    sent: writtenDate(words[language], new Date(message.created)),
  };
}

type StatedKey = 'sender' | 'subject' | 'sent';

/** A From field in which nothing can be seen says as little as none. */
const fromOf = ({ from, reversePath }: StatedMessage): string =>
  from === undefined || seen(from) === '' ? reversePath : from;

/** Name and address in separate elements, so that the writing direction of one cannot affect the other. */
function senderHtml(from: string): string {
  const { name, address } = senderOf(from);
  const shown = `<bdi>${escapeHtml(name === '' ? address : `<${address}>`)}</bdi>`;
  return name === '' ? shown : `<bdi>${escapeHtml(name)}</bdi> ${shown}`;
}
