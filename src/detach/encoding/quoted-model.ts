/**
 * Predicts how an encoder of quoted-printable (RFC 2045 section 6.7) writes the next octet, from what it did so far.
 * Reading and writing run the same model, so only the octets that were not as predicted must be recorded. The
 * predictions are part of the manifest's format (docs/restore.md) and cannot change.
 */

/** How an octet is written. Adding `softBreak` puts one in front of it. */
export const literal = 0;
export const capitals = 1;
export const smallLetters = 2;
/** CRLF, two octets that are written as a line end. */
export const lineEnd = 3;
export const softBreak = 4;

/** The octet to write, and two flags. It is a number and not an object because every octet of a file needs one. */
type Place = number;

export const octetOf = (place: Place): number => place & 0xff;
/** This octet is CR, the next one LF. */
const pair = 0x100;
/** After this octet comes CRLF, or nothing. */
const last = 0x200;

const cr = 0x0d;
const space = 0x20;
const tab = 0x09;

/** Octets that are written differently at the end or at the beginning of a line are predicted apart. */
const atEnd = 256;
const atStart = 512;

export class QuotedModel {
  readonly #forms = new Uint8Array(768);
  #pair = lineEnd;
  #max = 76;
  #line = 0;
  /** Line ends among what `takeAsWritten` took last. */
  lineEndsTaken = 0;

  constructor() {
    for (let byte = 0; byte < 256; byte++) {
      const plain = byte === tab || (byte >= space && byte < 0x7f && byte !== 0x3d);
      this.#forms[byte] = plain ? literal : capitals;
      this.#forms[atEnd + byte] = capitals;
      this.#forms[atStart + byte] = literal;
    }
  }

  expect(place: Place): number {
    if ((place & pair) !== 0 && this.#pair === lineEnd) return lineEnd;
    const form = this.#forms[key(place, this.#line)]!;
    const soft = this.#line + widthOf(form) > this.#max - ((place & last) !== 0 ? 0 : 1);
    return soft ? softBreak + this.#forms[key(place, 0)]! : form;
  }

  /**
   * Fast path for the most frequent case: does the work of `expect` and `learn` for the octets from `at` on that are
   * expected as themselves wherever in a line they stand. Returns where they end, at most at `end`.
   */
  takePlain(bytes: Buffer, at: number, end: number): number {
    if (this.#line === 0 && at < end && isSpecialAtStart(bytes[at]!)) return at;
    const to = Math.min(end, bytes.length - 1, at + this.#max - 1 - this.#line);
    const forms = this.#forms;
    let next = at;
    for (; next < to; next++) {
      const octet = bytes[next]!;
      if (octet === cr || forms[octet] !== literal) break;
    }
    if (next <= at) return at;
    if (bytes[next] === cr && isBlank(bytes[next - 1]!)) next--;
    this.#line += next - at;
    return next;
  }

  /**
   * Fast path for reading: does the work of `take` for the octets from `at` on that were written as expected, in whatever
   * form, up to the next soft line break. Returns where they end: at most at `end`, or behind the line end there. A line
   * end is two octets and one prediction: `lineEndsTaken` says how many there were.
   */
  takeAsWritten(bytes: Buffer, choices: Buffer, { at, end }: { readonly at: number; readonly end: number }): number {
    const to = Math.min(end, bytes.length - 1);
    const forms = this.#forms;
    const most = this.#max - 1;
    let line = this.#line;
    let lineEnds = 0;
    let next = at;
    for (; next < to; next++) {
      const octet = bytes[next]!;
      const form = choices[next]!;
      if (octet === cr) {
        if (form !== lineEnd || this.#pair !== lineEnd) break;
        line = 0;
        lineEnds++;
        next++;
        continue;
      }
      // The first octet of a line may need another look, and so may a blank at its end.
      if (form !== forms[octet] || (line === 0 && isSpecialAtStart(octet))) break;
      const after = line + (form === literal ? 1 : 3);
      if (after > most || (bytes[next + 1] === cr && isBlank(octet))) break;
      line = after;
    }
    this.#line = line;
    this.lineEndsTaken = lineEnds;
    return next;
  }

  /** Takes note of what was really written, and says whether it was expected. */
  take(place: Place, choice: number): boolean {
    const expected = this.expect(place);
    this.learn(place, choice, expected);
    return choice === expected;
  }

  /** Takes note of what was really written. */
  learn(place: Place, choice: number, expected: number): void {
    const form = choice & 3;
    if ((place & pair) !== 0) this.#pair = form;
    if (form === lineEnd) {
      this.#line = 0;
      return;
    }
    const soft = choice >= softBreak;
    const width = widthOf(form);
    if (soft !== expected >= softBreak)
      this.#max = soft ? this.#line + 1 : this.#line + width + ((place & last) !== 0 ? 0 : 1);
    if (soft) this.#line = 0;
    this.#forms[key(place, this.#line)] = form;
    this.#line += width;
  }
}

const widthOf = (form: number): number => (form === literal ? 1 : 3);

export const isBlank = (octet: number): boolean => octet === space || octet === tab;

/** A dot alone ends an SMTP message, and `From ` begins a message in a mailbox file: encoders escape both. */
const isSpecialAtStart = (octet: number): boolean => octet === 0x2e || octet === 0x46;

function key(place: Place, line: number): number {
  const byte = octetOf(place);
  if ((place & last) !== 0 && isBlank(byte)) return atEnd + byte;
  return line === 0 && isSpecialAtStart(byte) ? atStart + byte : byte;
}

/** The place of the octet at `at`. Two more octets must follow unless the file ends. */
export function placeAt(bytes: Buffer, at: number): Place {
  const octet = bytes[at]!;
  const isEnd = at + 1 >= bytes.length;
  const next = isEnd ? 0 : bytes[at + 1]!;
  const isLast = isEnd || (next === 0x0d && at + 2 < bytes.length && bytes[at + 2] === 0x0a);
  return octet + (octet === 0x0d && next === 0x0a ? pair : 0) + (isLast ? last : 0);
}
