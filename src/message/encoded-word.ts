import { decodeLabelled, decodeUnlabelled } from './charset.ts';

/**
 * An encoded-word (RFC 2047 section 2), with the language suffix of RFC 2231 section 5. Blanks and question marks
 * inside of the encoded text are not allowed, and common; the latter are looked for in words of a usual length, so
 * that words without an end do not take long.
 */
const word = /=\?([^?\s*]{1,64})(?:\*[^?\s]{0,64})?\?([BbQq])\?([^?]*|(?:[^?=]|=(?!\?)|\?(?!=)){0,300})\?=/g;

/** Words of one value: what comes after them stays as it is. A file name or a subject has some thirty. */
const maxWords = 500;

/** Decodes the encoded-words in an unfolded byte string; the rest is taken as UTF-8 or windows-1252. */
export function decodeWords(value: string): string {
  let text = '';
  let end = 0;
  let words = 0;
  let pending: { readonly charset: string; readonly chunks: Buffer[] } | undefined;
  const flush = (): void => {
    if (pending) text += decodeLabelled(Buffer.concat(pending.chunks), pending.charset);
    pending = undefined;
  };
  for (const match of value.matchAll(word)) {
    words += 1;
    if (words > maxWords) break;
    const [whole, charset = '', encoding = '', encoded = ''] = match;
    const between = value.slice(end, match.index);
    // RFC 2047 section 6.2: blanks between two encoded-words are not part of the text.
    if (!(end > 0 && /^[ \t\r\n]*$/.test(between))) {
      flush();
      text += decodeUnlabelled(Buffer.from(between, 'latin1'));
    }
    const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(encoded, 'base64') : decodeQ(encoded);
    // A character may be cut in two by words of the same charset: not allowed, and common.
    if (pending?.charset.toLowerCase() === charset.toLowerCase()) pending.chunks.push(bytes);
    else {
      flush();
      pending = { charset, chunks: [bytes] };
    }
    end = match.index + whole.length;
  }
  flush();
  return text + decodeUnlabelled(Buffer.from(value.slice(end), 'latin1'));
}

/** RFC 2047 section 4.2. */
function decodeQ(encoded: string): Buffer {
  const bytes = encoded
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}
