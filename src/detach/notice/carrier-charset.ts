import iconv from 'iconv-lite';
import { decodeCharset, findCharset, isAscii, type Charset } from '../../message/charset.ts';
import { iso2022jpLayout } from './iso-2022-jp.ts';

/** A decoded body as text in which only the ASCII is reliable, and how to write in its charset. */
export interface Layout {
  /** One character for each `unit` bytes. What looks like ASCII here is ASCII in the text, except for letters. */
  readonly text: string;
  readonly unit: 1 | 2;
  /** What a stretch of `text` says. */
  readonly read: (text: string) => string;
  /** Whether the charset can say this character. */
  has(character: string): boolean;
  /** Encodes text of such characters, to stand at this place of `text`. */
  encode(text: string, at: number): Buffer;
}

/** undefined: the charset is unknown and the body has more than ASCII, or the charset does not write ASCII as ASCII. */
export function layOut(bytes: Buffer, label: string | undefined): Layout | undefined {
  // RFC 2045 section 5.2: the default. Bytes of 8 bits under it may be in any charset.
  if (label === undefined || label.trim() === '') return asciiLayout(bytes);
  const charset = findCharset(label);
  // Whatever an unknown label means, readers show these bytes as ASCII.
  if (charset === undefined) return isPlainAscii(bytes) ? asciiLayout(bytes) : undefined;
  if (isAscii(charset)) return asciiLayout(bytes);
  if (charset.kind === 'iso-2022-jp') return iso2022jpLayout(bytes);
  if (/^(?:utf|ucs|unicode)-?(?:16|2)/.test(charset.label)) return utf16Layout(bytes, charset.label);
  return meansAscii(charset) ? supersetLayout(bytes, charset) : undefined;
}

/** Without shifts to another set (ISO 2022, RFC 1843), and no NUL as UTF-16 and UTF-32 have. */
const isPlainAscii = (bytes: Buffer): boolean => !/[^\t\n\f\r\x20-\x7e]|~\{/.test(bytes.toString('latin1'));

function asciiLayout(bytes: Buffer): Layout {
  return {
    text: bytes.toString('latin1'),
    unit: 1,
    read: (text) => text,
    has: (character) => character < '\u0080',
    encode: (text) => Buffer.from(text, 'latin1'),
  };
}

const printable = Buffer.from(Array.from({ length: 0x7f - 0x20 }, (_, i) => 0x20 + i));

/** True of UTF-8, the ISO 8859 and Windows families, and of those of East Asia that start a character above 7F. */
const meansAscii = (charset: Charset): boolean => decodeCharset(printable, charset) === printable.toString('latin1');

/**
 * iconv-lite's Big5 and GB2312 include the characters of Hong Kong and of Microsoft, which readers of the plain
 * charsets lack. Those characters begin below this byte.
 */
const narrow: readonly (readonly [label: RegExp, lowest: number])[] = [
  [/^big-?5$/, 0xa1],
  [/gb_?2312/, 0xa1],
];

/**
 * In Shift_JIS, Big5, GBK and GB18030 a second byte may be a letter, a digit, a grave or one of `@[\]^_{|}~`. It is
 * never one of the characters of tags and signature separators.
 */
function supersetLayout(bytes: Buffer, charset: Charset): Layout {
  const { label } = charset;
  const unicode = /^utf-?8/.test(label);
  const lowest = narrow.find(([name]) => name.test(label))?.[1] ?? 0x80;
  return {
    text: bytes.toString('latin1'),
    unit: 1,
    // Most lines of most letters: a decoder for each costs more than all else about it.
    read: (text) => (/^[\t\n\f\r\x20-\x7e]*$/.test(text) ? text : decodeCharset(Buffer.from(text, 'latin1'), charset)),
    has(character) {
      if (character < '\u0080' || unicode) return true;
      const encoded = iconv.encode(character, label);
      return (
        encoded[0]! >= lowest &&
        iconv.decode(encoded, label) === character &&
        readersAgree(encoded, { label, character })
      );
    },
    encode: (text) => iconv.encode(text, label),
  };
}

/** Not every reader knows the later additions to the charsets of East Asia, such as the euro in EUC-KR. */
function readersAgree(
  encoded: Buffer,
  { label, character }: { readonly label: string; readonly character: string },
): boolean {
  if (encoded.length === 1) return true;
  try {
    return new TextDecoder(label).decode(encoded) === character;
  } catch {
    return true;
  }
}

/** RFC 2781. Without a byte order mark senders disagree about the byte order, so such a body is left alone. */
function utf16Layout(bytes: Buffer, label: string): Layout | undefined {
  if (bytes.length % 2 !== 0) return undefined;
  const mark = bytes.length < 2 ? undefined : bytes.readUInt16BE(0);
  let order: 'le' | 'be' | undefined;
  if (mark === 0xfffe) order = 'le';
  else if (mark === 0xfeff) order = 'be';
  else if (label.endsWith('le')) order = 'le';
  else if (label.endsWith('be')) order = 'be';
  if (order === undefined) return undefined;
  const little = order === 'le';
  return {
    text: (little ? bytes : Buffer.from(bytes).swap16()).toString('utf16le'),
    unit: 2,
    read: (text) => text,
    has: () => true,
    encode: (text) => (little ? Buffer.from(text, 'utf16le') : Buffer.from(text, 'utf16le').swap16()),
  };
}
