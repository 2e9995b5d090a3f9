export { linkUrl } from './link-url.ts';

/** A detached file as the reader of the mail is told about it. */
export interface NoticeItem {
  /** Safe name, UTF-8. */
  readonly name: string;
  readonly type: string;
  /** Decoded bytes. */
  readonly size: number;
  /** At most 100 characters. */
  readonly url: string;
  /** undefined: never. */
  readonly expires: Date | undefined;
}

/** Words for people. Both are pure functions of the items, so that a retry writes the same bytes. */
export interface Notice {
  /** Lines separated by LF, at most 76 characters but for the link, without signature separator. */
  text(items: readonly NoticeItem[]): string;
  /** An HTML fragment, safe to stand at the end of any body. */
  html(items: readonly NoticeItem[]): string;
}
