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

/** Letters set the colour of all links in dark mode, with `!important`, of which Outlook reads nothing. */
const linkStyle = 'color:#04c;color:#04c!important';

/**
 * Letters on a dark ground make the text of all lists white, also with `!important`. Where the whole line is a link, that
 * has its colour.
 */
const itemStyle = 'color:#222;color:#222!important';

export function builtInHtml({ tag, direction, notice }: Words, { heading, files, page, contact }: Filled): string {
  const items = files.map(({ name, kind, size, url }) => {
    const shown = `<bdi>${escapeHtml(name)}</bdi> (${escapeHtml(`${kind}, ${size}`)})`;
    return url === undefined ? `<li style="${itemStyle}">${shown}</li>\n` : `<li>${link(url, shown)}</li>\n`;
  });
  const below = [
    ...(page === undefined ? [] : [link(page, escapeHtml(notice.all.replace(/\s*:$/, '')))]),
    ...(contact === undefined ? [] : [`${escapeHtml(notice.questions)} ${contactLink(contact)}`]),
  ];
  return `<div lang="${tag}" dir="${direction}" style="${boxStyle}">${escapeHtml(heading)}<ul>${items.join('')}</ul>${below.join('<br/>\n')}</div>
`;
}

const link = (url: string, inner: string): string => `<a href="${escapeHtml(url)}" style="${linkStyle}">${inner}</a>`;

/** Of a page only the host is shown: the whole address would take a third of the notice. */
function contactLink(contact: string): string {
  const host = /^https?:\/\/([^/?#]+)/i.exec(contact)?.[1];
  return host === undefined ? link(`mailto:${contact}`, escapeHtml(contact)) : link(contact, escapeHtml(host));
}
