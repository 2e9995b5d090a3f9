import type { Page } from '../../storage/interface.ts';
import { escapeHtml } from '../escape-html.ts';
import { hasMissing, isThere, type MessageFile } from '../message-files.ts';
import { type Language, words } from '../words/languages.ts';
import type { Words } from '../words/words.ts';
import { writtenEnd, writtenSize } from '../words/written.ts';
import { capital, extensionOf } from './file-page.ts';
import { ownMessagePage } from './own-pages.ts';
import { type PageFrame, sheet } from './page.ts';
import { type Shown, statedFacts } from './stated-facts.ts';

/** Which files of a message stand on this page; counted from 0. */
export interface Extent {
  readonly from: number;
  readonly to: number;
  readonly total: number;
  /** Files on a full page. */
  readonly step: number;
}

export interface MessagePageOptions {
  readonly frame: PageFrame;
  readonly shown: Shown;
  readonly language: Language;
  /** Path of the public address: '' for a host of its own. */
  readonly basePath: string;
  readonly token: string;
  readonly extent: Extent;
}

/** The page of a message of several files: each one with its state, and a link to download all. */
export function messagePage(page: Page, files: readonly MessageFile[], options: MessagePageOptions): string {
  const { frame, shown, language, basePath, token, extent } = options;
  if (frame.own.messagePage !== undefined)
    return ownMessagePage(page, files, { ...options, template: frame.own.messagePage, below: otherPages(extent) });
  const ours = words[language];
  const { heading, headingOfMany, downloadAll, hint, hintOfMany, withdrawn } = ours.page;
  const listed = files.filter(({ state }) => state !== 'revoked');
  const sent = extent.to - extent.from === extent.total ? files.length : extent.total;
  const title = sent === 1 ? heading : headingOfMany(sent);
  const end = commonEnd(ours, listed);
  const revoked = files.length - listed.length;
  return frame.page({
    language,
    title,
    hint: sent === 1 ? hint : hintOfMany,
    wide: true,
    body: `${sheet('ZIP')}
<h1>${title}</h1>
<p class="facts">${[sizeOfAll(ours, listed, extent), end === undefined ? '' : capital(end)].filter(Boolean).join(' · ')}</p>
<a class="button" href="${escapeHtml(`${basePath}/${token}/all.zip`)}" rel="nofollow noreferrer" download>${downloadAll}</a>
<ul>
${listed.map((file) => item(ours, file, { basePath, saysEnd: end === undefined, doubts: hasMissing(files) })).join('')}</ul>
${revoked === 0 ? '' : `<p>${withdrawn(revoked)}</p>\n`}${otherPages(extent)}${statedFacts(page, { shown, language })}`,
  });
}

function item(
  ours: Words,
  { token, link, state }: MessageFile,
  { basePath, saysEnd, doubts }: { readonly basePath: string; readonly saysEnd: boolean; readonly doubts: boolean },
): string {
  const { name, type, size, expires } = link;
  const shown = `<bdi>${escapeHtml(name)}</bdi>`;
  const there = isThere({ token, link, state });
  const facts = [
    escapeHtml(extensionOf(name) || type),
    writtenSize(ours, size),
    ...(there ? [] : [state === 'missing' ? ours.page.isGone : ours.page.isExpired]),
    ...(doubts && state === 'unchecked' ? [ours.page.isUnchecked] : []),
    ...(there && saysEnd ? [writtenEnd(ours, dateOf(expires))] : []),
  ];
  const label = there ? `<a href="${escapeHtml(`${basePath}/${token}/file`)}" download>${shown}</a>` : shown;
  return `<li>${label}<span>${facts.join(' · ')}</span></li>\n`;
}

const dateOf = (time: string | null): Date | undefined => (time === null ? undefined : new Date(time));

/** The expiry that all downloadable files share; undefined: they differ. */
function commonEnd(ours: Words, files: readonly MessageFile[]): string | undefined {
  const ends = new Set(files.filter(isThere).map(({ link }) => writtenEnd(ours, dateOf(link.expires))));
  return ends.size === 1 ? [...ends][0] : undefined;
}

/** Decoded bytes of all files in the archive; '' when the list has several pages. */
function sizeOfAll(ours: Words, files: readonly MessageFile[], { from, to, total }: Extent): string {
  if (to - from !== total) return '';
  return writtenSize(
    ours,
    files.filter(isThere).reduce((sum, { link }) => sum + link.size, 0),
  );
}

/** Links to the other pages of a long list, by the numbers of the files on them. */
function otherPages({ from, total, step }: Extent): string {
  if (total <= step) return '';
  const starts = Array.from({ length: Math.ceil(total / step) }, (_, i) => i * step);
  const links = starts.map((start, i) => {
    const range = `${start + 1}–${Math.min(start + step, total)}`;
    return start === from ? `<b aria-current="page">${range}</b>` : `<a href="?page=${i + 1}">${range}</a>`;
  });
  return `<nav>${links.join(' ')}</nav>\n`;
}
