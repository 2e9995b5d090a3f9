/** Pages in the operator's own words. */
import type { Link, Page } from '../../storage/interface.ts';
import { hasMissing, isThere, type MessageFile } from '../message-files.ts';
import { kindOf } from '../notice/kind.ts';
import type { Row } from '../notice/segments.ts';
import { type Language, words } from '../words/languages.ts';
import type { Words } from '../words/words.ts';
import { writtenEnd, writtenSize } from '../words/written.ts';
import type { FilePageOptions } from './file-page.ts';
import type { MessagePageOptions } from './message-page.ts';
import type { PageFrame } from './page.ts';
import type { PageTemplate } from './page-template.ts';
import { type Shown, statedTexts } from './stated-facts.ts';

/** `href` leads to the bytes, below the page. */
export function ownFilePage(link: Link, template: PageTemplate, { frame, shown, href }: FilePageOptions): string {
  const { language } = frame.own;
  const row = rowOf(link, { url: href, ours: words[language] });
  const all = {
    ...common(link, { frame, shown, language }),
    expires: endOf(link, words[language]),
    page: pathAbove(href),
  };
  return frame.page({
    language,
    title: link.name,
    hint: words[language].page.hint,
    body: template.render({ files: [row], missing: [] }, all),
  });
}

export interface OwnMessagePage extends MessagePageOptions {
  readonly template: PageTemplate;
  /** Links to the other pages of a long list: HTML. */
  readonly below: string;
}

export function ownMessagePage(page: Page, files: readonly MessageFile[], options: OwnMessagePage): string {
  const { frame, shown, basePath, token, template, below, extent } = options;
  const { language } = frame.own;
  const ours = words[language];
  const living = files.filter(isThere);
  const gone = files.filter(({ state }) => state === 'expired' || state === 'missing');
  const doubts = hasMissing(files);
  const rows = living.map(({ link, token: of, state }) => ({
    ...rowOf(link, { url: `${basePath}/${of}/file`, ours }),
    state: doubts && state === 'unchecked' ? ours.page.isUnchecked : '',
  }));
  const ends = living.flatMap(({ link }) => (link.expires === null ? [] : [link.expires])).sort();
  const all = {
    ...common(page, { frame, shown, language }),
    expires: writtenEnd(ours, ends[0] === undefined ? undefined : new Date(ends[0])),
    page: `${basePath}/${token}`,
    archive: `${basePath}/${token}/all.zip`,
  };
  const missing = gone.map(({ link, state }) => ({
    ...rowOf(link, { url: '', ours }),
    state: state === 'missing' ? ours.page.isGone : ours.page.isExpired,
  }));
  return frame.page({
    language,
    title: ours.page.headingOfMany(extent.total),
    hint: ours.page.hintOfMany,
    wide: true,
    body: `${template.render({ files: rows, missing }, all)}\n${below}`,
  });
}

const rowOf = (
  { name, type, size, expires, sha256 }: Link,
  { url, ours }: { readonly url: string; readonly ours: Words },
): Row => ({
  name,
  type,
  kind: ours.notice.kinds[kindOf(type)],
  size: writtenSize(ours, size),
  expires: endOf({ expires }, ours),
  sha256,
  url,
});

const endOf = ({ expires }: Pick<Link, 'expires'>, ours: Words): string =>
  writtenEnd(ours, expires === null ? undefined : new Date(expires));

const common = (
  message: Link | Page,
  { frame, shown, language }: { readonly frame: PageFrame; readonly shown: Shown; readonly language: Language },
): Row => ({
  organisation: frame.branding.organisation ?? '',
  contact: frame.branding.contact ?? '',
  ...statedTexts(message, { shown, language }),
});

const pathAbove = (href: string): string => href.slice(0, href.lastIndexOf('/'));
