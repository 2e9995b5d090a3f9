import type { FileKind } from '../words/words.ts';

const kinds: readonly (readonly [FileKind, RegExp])[] = [
  ['pdf', /^application\/(?:x-)?pdf$/],
  ['image', /^image\//],
  ['video', /^video\//],
  ['audio', /^audio\//],
  ['spreadsheet', /spreadsheet|ms-excel|^text\/csv$/],
  ['presentation', /presentation|powerpoint/],
  ['document', /wordprocessing|msword|opendocument\.text|\/rtf$|epub/],
  ['archive', /zip|x-7z|\brar\b|x-tar|gzip|x-bzip|x-xz|zstd/],
  ['text', /^text\//],
];

/** What people call a file of this media type. */
export const kindOf = (type: string): FileKind => kinds.find(([, pattern]) => pattern.test(type))?.[0] ?? 'file';
