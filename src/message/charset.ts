import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

/** iconv-lite counts these as encodings; as the charset of a text they mean nothing. */
const notCharsets = new Set(['base64', 'hex', 'binary']);

const iso2022jp = /^(?:cs)?iso-?2022-?jp(?:-?(?:[123]|ms))?$|^cp5022[0-2]$/i;

/** Labels that mail has and iconv-lite lacks. */
const aliases = new Map([
  ['cp65001', 'utf-8'],
  ['iso-8859-6-e', 'iso-8859-6'],
  ['iso-8859-6-i', 'iso-8859-6'],
  ['iso-8859-8-e', 'iso-8859-8'],
  ['iso-8859-8-i', 'iso-8859-8'],
  ['uhc', 'cp949'],
  ['x-euc-jp', 'euc-jp'],
  ['x-mac-roman', 'macintosh'],
]);

/** A charset as its label names it; what a label like `../x` or an unknown one means is undefined. */
export type Charset = { readonly kind: 'iconv' | 'iso-2022-jp'; readonly label: string };

export function findCharset(label: string): Charset | undefined {
  const given = label.trim().toLowerCase();
  const name = aliases.get(given) ?? given;
  if (!/^[a-z0-9][a-z0-9_.:+-]{0,39}$/.test(name) || notCharsets.has(name)) return undefined;
  if (iso2022jp.test(name)) return { kind: 'iso-2022-jp', label: 'iso-2022-jp' };
  return iconv.encodingExists(name) ? { kind: 'iconv', label: name } : undefined;
}

/** Text for people: what cannot be decoded becomes U+FFFD. */
export function decodeCharset(bytes: Buffer, charset: Charset): string {
  switch (charset.kind) {
    case 'iconv':
      return iconv.decode(bytes, charset.label, { stripBOM: false });
    case 'iso-2022-jp':
      return new TextDecoder('iso-2022-jp', { ignoreBOM: true }).decode(bytes);
    default:
      throw new TypeError(`unknown charset ${String(charset.kind satisfies never)}`);
  }
}

/**
 * Text of bytes that nobody has labelled: UTF-8 where it is UTF-8, though a sender may have cut it within a character;
 * else windows-1252, which senders that leave raw 8-bit in a header mean most often.
 */
export function decodeUnlabelled(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return cutUtf8(bytes) ?? iconv.decode(bytes, 'windows-1252');
}

/** UTF-8 of which a character lacks its end, without that; undefined: there is more wrong with it. */
function cutUtf8(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  const broken = text.split('\ufffd').length - 1;
  const isCertain = /[^\0-\x7f\ufffd]/.test(text) || bytes.includes(emojiStart);
  return broken === 1 && isCertain ? text.replace('\ufffd', '') : undefined;
}

/** Of most emoji; in windows-1252 two letters that no word has. */
const emojiStart = Buffer.from('f09f', 'hex');

/** Text of bytes under a label that may be wrong: an 8-bit byte cannot be US-ASCII, an unknown charset is a guess. */
export function decodeLabelled(bytes: Buffer, label: string): string {
  const charset = findCharset(label);
  if (charset === undefined || isAscii(charset) || isLatin1(charset)) return decodeAs(bytes, charset);
  return decodeCharset(bytes, charset);
}

function decodeAs(bytes: Buffer, charset: Charset | undefined): string {
  // As browsers do: what calls itself ISO-8859-1 and has bytes from 80 to 9F is windows-1252.
  return charset !== undefined && isLatin1(charset) ? iconv.decode(bytes, 'windows-1252') : decodeUnlabelled(bytes);
}

export const isAscii = (charset: Charset): boolean =>
  /^(?:us-?ascii|ascii|ansi_x3\.4-.*|646|iso646-us)$/.test(charset.label);
const isLatin1 = (charset: Charset): boolean => /^(?:iso[-_]?8859[-_]1(?::\d+)?|latin1|l1)$/.test(charset.label);
