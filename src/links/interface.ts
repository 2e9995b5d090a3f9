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

/** What one notice says. */
export interface NoticeContent {
  readonly items: readonly NoticeItem[];
  /** Address of the page with all files of the message; undefined: there is none. */
  readonly page?: string | undefined;
  /** Another notice of this message stands below, which says whom to ask. */
  readonly isContinued?: boolean;
}

/** The words of one notice. */
export interface NoticeTexts {
  /** Lines separated by LF, at most 76 characters but for the links, without signature separator. */
  readonly text: string;
  /** An HTML fragment, safe to stand anywhere in a body. */
  readonly html: string;
  /** The names of the files as they stand in the text. */
  readonly names: string;
}

/** Words for people. A pure function of its content, so that a retry writes the same bytes. */
export interface Notice {
  write(content: NoticeContent): NoticeTexts;
  /** If there are more files than this and the message has a page, the notice names only the page. */
  readonly maxLinks: number;
  /** Name of a notice that is a separate part, in ASCII. */
  readonly fileName: string;
}
