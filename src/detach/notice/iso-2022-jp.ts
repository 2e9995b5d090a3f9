import Encoding from 'encoding-japanese';
import type { Layout } from './carrier-charset.ts';

const toAscii = '\x1b(B';
const escapeSequence = /\x1b(?:\([A-Z]|\$[@AB]|\$\([A-Z])/g;

/** ISO-2022-JP (RFC 1468) switches character sets with escape sequences: between them `<` may be half a kanji. */
export function iso2022jpLayout(bytes: Buffer): Layout {
  const raw = bytes.toString('latin1');
  const shifts = findShifts(raw);
  return {
    text: mask(raw, shifts),
    unit: 1,
    read: (text) => text,
    has: (character) => character < '\u0080' || isJisX0208(character),
    encode: (text, at) => {
      const state = shifts.findLast((shift) => shift.end <= at)?.sequence ?? toAscii;
      const body = encode(text);
      if (state === toAscii) return body;
      // Two sequences with nothing between them are an error to browsers.
      const before = body[0] === 0x1b ? '' : toAscii;
      return Buffer.concat([Buffer.from(before), body, Buffer.from(at < raw.length ? state : '')]);
    },
  };
}

interface Shift {
  readonly start: number;
  readonly end: number;
  readonly sequence: string;
}

const findShifts = (raw: string): Shift[] =>
  Array.from(raw.matchAll(escapeSequence), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
    sequence: match[0],
  }));

/** Masks all text in sets other than ASCII or its Japanese variant (`ESC ( J`), except for line ends. */
function mask(raw: string, shifts: readonly Shift[]): string {
  const pieces = [raw.slice(0, shifts[0]?.start)];
  shifts.forEach((shift, i) => {
    const piece = raw.slice(shift.start, shifts[i + 1]?.start);
    const plain = shift.sequence === toAscii || shift.sequence === '\x1b(J';
    const masked = plain ? shift.sequence.length : piece.length;
    pieces.push(piece.slice(0, masked).replace(/[^\r\n]/g, '\x80') + piece.slice(masked));
  });
  return pieces.join('');
}

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
