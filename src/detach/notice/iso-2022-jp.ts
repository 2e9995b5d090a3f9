import Encoding from 'encoding-japanese';
import type { Layout } from './carrier-charset.ts';

const toAscii = '\x1b(B';
const cr = 0x0d;
const lf = 0x0a;
const escape = 0x1b;
const dollar = 0x24;
const bracket = 0x28;
/** Stands for every byte that is no ASCII. */
const hidden = 0x80;
const escapeSequence = /\x1b(?:\([A-Z]|\$[@AB]|\$\([A-Z])/g;

/** ISO-2022-JP (RFC 1468) switches character sets with escape sequences: between them `<` may be half a kanji. */
export function iso2022jpLayout(bytes: Buffer): Layout {
  return {
    text: mask(bytes),
    unit: 1,
    read: (text) => text,
    has: (character) => character < '\u0080' || isJisX0208(character),
    encode: (text, at) => {
      const state = stateAt(bytes, at);
      const body = encode(text);
      if (state === toAscii) return body;
      // Two sequences with nothing between them are an error to browsers.
      const before = body[0] === 0x1b ? '' : toAscii;
      return Buffer.concat([Buffer.from(before), body, Buffer.from(at < bytes.length ? state : '')]);
    },
  };
}

/** The escape sequence that is in force at this place. */
function stateAt(bytes: Buffer, place: number): string {
  let [start, end] = [0, 0];
  for (let at = 0; at < place;) {
    const length = bytes[at] === escape ? sequenceLength(bytes, at) : 1;
    if (length > 1 && at + length <= place) [start, end] = [at, at + length];
    at += length;
  }
  return end === 0 ? toAscii : bytes.toString('latin1', start, end);
}

/** Of the escape sequence there, as `escapeSequence` says; 1: there is none. */
function sequenceLength(bytes: Buffer, start: number): number {
  const [first, second, third] = [bytes[start + 1], bytes[start + 2], bytes[start + 3]];
  if (first === bracket) return isCapital(second) ? 3 : 1;
  if (first !== dollar) return 1;
  if (second === bracket) return isCapital(third) ? 4 : 1;
  return second === 0x40 || second === 0x41 || second === 0x42 ? 3 : 1;
}

const isCapital = (octet: number | undefined): boolean => octet !== undefined && octet >= 0x41 && octet <= 0x5a;

/**
 * Masks all text in sets other than ASCII or its Japanese variant (`ESC ( J`), except for line ends. Byte by byte, with
 * no object for a sequence: a text of nothing else takes the event loop 60 ms otherwise.
 */
function mask(bytes: Buffer): string {
  const masked = Buffer.from(bytes);
  let isPlain = true;
  for (let at = 0; at < bytes.length;) {
    const octet = bytes[at];
    const length = octet === escape ? sequenceLength(bytes, at) : 1;
    if (length > 1) {
      masked.fill(hidden, at, at + length);
      isPlain = isPlainSequence(bytes, at);
    } else if (!isPlain && octet !== cr && octet !== lf) masked[at] = hidden;
    at += length;
  }
  return masked.toString('latin1');
}

/** To ASCII or its Japanese variant. */
const isPlainSequence = (bytes: Buffer, start: number): boolean =>
  bytes[start + 1] === bracket && (bytes[start + 2] === 0x42 || bytes[start + 2] === 0x4a);

function encode(text: string): Buffer {
  const bytes = Buffer.from(Encoding.convert(Encoding.stringToCode(text), { to: 'JIS', from: 'UNICODE' }));
  const last = bytes.toString('latin1').match(escapeSequence)?.at(-1) ?? toAscii;
  return last === toAscii ? bytes : Buffer.concat([bytes, Buffer.from(toAscii)]);
}

/** Only JIS X 0208: half-width katakana and JIS X 0212 belong to other charsets (RFC 1468, RFC 2237). */
function isJisX0208(character: string): boolean {
  const bytes = encode(character);
  return bytes.toString('latin1', 0, 3) === '\x1b$B' && new TextDecoder('iso-2022-jp').decode(bytes) === character;
}
