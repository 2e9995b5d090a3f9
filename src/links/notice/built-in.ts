import { escapeHtml } from '../escape-html.ts';
import type { Words } from '../words/words.ts';

/** A notice with all its values in words. */
export interface Filled {
  readonly heading: string;
  readonly files: readonly FilledFile[];
  /** The page with all files of the message. */
  readonly page: string | undefined;
  readonly contact: string | undefined;
}

export interface FilledFile {
  readonly name: string;
  readonly kind: string;
  readonly size: string;
  /** undefined: only the page has the link. */
  readonly url: string | undefined;
}

/** RFC 3676 section 4.2: longer lines are wrapped by other programs. */
const textWidth = 76;

/** Each address has a line for itself, so that no program breaks it or takes a full stop for a part of it. */
export function builtInText({ notice }: Words, { heading, files, page, contact }: Filled): string {
  const listed = files.flatMap(({ name, kind, size, url }) => [
    ...(url === undefined ? [] : ['']),
    `${name} (${kind}, ${size})`,
    ...(url === undefined ? [] : [url]),
  ]);
  return [
    ...wrap(heading),
    ...(files.some(({ url }) => url !== undefined) ? [] : ['']),
    ...listed,
    ...(page === undefined ? [] : ['', notice.all, page]),
    ...(contact === undefined ? [] : ['', `${notice.questions} ${contact}`]),
    '',
  ].join('\n');
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= textWidth) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/**
 * Resets styles that the letter may set around the notice, such as indents or hidden text: `all` for browsers, and the
 * most important properties for programs that do not know `all`. Text and background colour are set together, and the
 * link has a colour too, because the letter's colours are unknown. `<br/>` and quoted attributes are for letters in
 * XHTML.
 */
const boxStyle =
  'all:initial;display:block;margin:1em 0;padding:9px;border:1px solid #bbb;background:#eee;color:#222;' +
  'font:14px/1.4 sans-serif;word-break:break-word';

/** What the letter says of all lists and links, such as an indent or no size, is not for those of the notice. */
const plainStyle = 'all:revert';

/** Letters set the colour of all links in dark mode, with `!important`, of which Outlook reads nothing. */
const linkStyle = `${plainStyle};color:#04c;color:#04c!important`;

/**
 * Letters on a dark ground make the text of all lists white, also with `!important`. Where the whole line is a link, that
 * has its colour.
 */
const itemStyle = `${plainStyle};color:#222;color:#222!important`;

export function builtInHtml({ tag, direction, notice }: Words, { heading, files, page, contact }: Filled): string {
  const items = files.map(({ name, kind, size, url }) => {
    const shown = `<bdi>${escapeHtml(name)}</bdi> (${escapeHtml(`${kind}, ${size}`)})`;
    return { shown: url === undefined ? shown : link(url, shown), style: url === undefined ? itemStyle : plainStyle };
  });
  // One file needs no list, and all that is said of it stays below 1,000 bytes.
  const listed =
    items.length === 1
      ? `<br/>\n${items[0]!.shown}<br/>\n`
      : `<ul style="${plainStyle}">${items.map(({ shown, style }) => `<li style="${style}">${shown}</li>\n`).join('')}</ul>`;
  const below = [
    ...(page === undefined ? [] : [link(page, escapeHtml(notice.all.replace(/\s*:$/, '')))]),
    ...(contact === undefined ? [] : [`${escapeHtml(notice.questions)} ${contactLink(contact)}`]),
  ];
  return `<div lang="${tag}" dir="${direction}" style="${boxStyle}">${escapeHtml(heading)}${listed}${below.join('<br/>\n')}</div>
`;
}

const link = (url: string, inner: string): string => `<a href="${escapeHtml(url)}" style="${linkStyle}">${inner}</a>`;

/** Of a page only the host is shown: the whole address would take a third of the notice. */
function contactLink(contact: string): string {
  const host = /^https?:\/\/([^/?#]+)/i.exec(contact)?.[1];
  return host === undefined ? link(`mailto:${contact}`, escapeHtml(contact)) : link(contact, escapeHtml(host));
}
