/** Everything that differs between languages: one file per language, checked for completeness by this type. */
export interface Words {
  /** BCP 47. */
  readonly tag: string;
  readonly direction: 'ltr' | 'rtl';
  /** Bytes, and their powers of 1000. */
  readonly units: readonly [string, string, string, string, string];
  readonly comma: '.' | ',';
  /** A day in full. `month` is the month's name. */
  readonly date: (when: { readonly day: number; readonly month: string; readonly year: number }) => string;
  /** January to December, as they stand in a date, separated by blanks. */
  readonly months: string;
  /** In the middle of a sentence. `date` as written by `date`. */
  readonly until: (date: string) => string;
  readonly forever: string;
  readonly notice: NoticeWords;
  readonly page: PageWords;
}

/** What people call a file. */
export type FileKind =
  'archive' | 'audio' | 'document' | 'file' | 'image' | 'pdf' | 'presentation' | 'spreadsheet' | 'text' | 'video';

/** Of the notice in the mail. */
export interface NoticeWords {
  /** Above the files. `date` as written by `date`; undefined: never. */
  readonly heading: (date: string | undefined) => string;
  /** The same, naming the organisation that keeps the files. */
  readonly kept: (organisation: string, files: { readonly one: boolean; readonly date: string | undefined }) => string;
  /** Before the address of the page with all files of the message. */
  readonly all: string;
  /** Before the address for questions. */
  readonly questions: string;
  /** Name of a notice that is a separate part, in ASCII. */
  readonly fileName: string;
  readonly kinds: Readonly<Record<FileKind, string>>;
}

/** A page that has nothing to download: a heading and what to do about it. */
interface Message {
  readonly title: string;
  readonly text: string;
}

export type MessageName =
  'unknown' | 'expired' | 'revoked' | 'gone' | 'allExpired' | 'allRevoked' | 'allGone' | 'unavailable' | 'method';

/** Of the page behind a link. */
export interface PageWords extends Readonly<Record<MessageName, Message>> {
  readonly heading: string;
  readonly headingOfMany: (files: number) => string;
  readonly download: string;
  readonly downloadAll: string;
  /** Why the file is here. */
  readonly hint: string;
  readonly hintOfMany: string;
  /** Who keeps it: never the sender. */
  readonly keeper: (organisation: string) => string;
  /** Labels. */
  readonly sender: string;
  readonly subject: string;
  readonly sent: string;
  readonly checksum: string;
  readonly questions: string;
  /** Labels in a list for files that cannot be downloaded. */
  readonly isExpired: string;
  readonly isGone: string;
  /** Of one whose bytes were not looked for, where others of its message are missing. */
  readonly isUnchecked: string;
  /** Below a list from which files were removed. */
  readonly withdrawn: (files: number) => string;
}
