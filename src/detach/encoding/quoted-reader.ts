/**
 * Decodes quoted-printable (RFC 2045 section 6.7) and learns how it was written.
 *
 * Stops at what mail programs read differently: blanks at the end of a line, `=` without hex digits, a lone CR or LF.
 * Holds two decoded octets, an unfinished escape, and the exceptions from the model, which `maxRecipeBytes` bounds.
 */
import { isBlank, placeAt, QuotedModel, capitals, lineEnd, smallLetters, softBreak } from './quoted-model.ts';
import type { DecodedFile, Reader } from './reader.ts';
import { maxRecipeBytes, exceptionCost, type Recipe } from './recipe.ts';

const equals = 0x3d;
const cr = 0x0d;
const lf = 0x0a;

/** The second octet of a line end: written with the first. */
const withFirst = 255;

/** A file has this many lines at most if they are very short: each costs as much as ten other octets. */
export const maxVeryShortLines = 1_000_000;
/** Octets of a line, its end among them. People and programs fill lines, or end them where words or numbers end. */
const veryShort = 8;

export class QuotedReader implements Reader {
  readonly #file: DecodedFile;
  readonly #model = new QuotedModel();
  readonly #exceptions: [skip: number, choice: number][] = [];
  #asExpected = 0;
  /** Raw octets of an escape or a line end that the chunk cut. */
  #cut: Buffer = Buffer.alloc(0);
  /** `softBreak` after one, 0 otherwise. */
  #soft = 0;
  /** The last octet was a blank, written as itself. */
  #blank = false;
  /** Decoded octets that wait for the two after them, and how they were written. */
  #decoded: Buffer = Buffer.alloc(0);
  #choices: Buffer = Buffer.alloc(0);
  #count = 0;
  /** Read up to what mail programs read differently. */
  #unreadable = false;
  #failed = false;
  #octets = 0;
  #lines = 0;
  gaveUp: string | undefined;

  constructor(file: DecodedFile) {
    this.#file = file;
  }

  push(bytes: Buffer): number {
    if (this.#failed) return 0;
    const before = this.#cut.length;
    const raw = before > 0 ? Buffer.concat([this.#cut, bytes]) : bytes;
    const used = this.#parse(raw);
    if (this.#unreadable) {
      this.#failed = true;
      // What was cut off from earlier chunks was taken with them.
      this.#cut = Buffer.from(raw.subarray(used, Math.max(used, before)));
      this.#compare(true);
      return Math.max(0, used - before);
    }
    this.#cut = Buffer.from(raw.subarray(used));
    this.#compare(false);
    this.#octets += bytes.length;
    if (this.#lines > maxVeryShortLines && this.#octets < this.#lines * veryShort) this.gaveUp = 'very short lines';
    if (this.gaveUp !== undefined || this.#exceptions.length * exceptionCost > maxRecipeBytes) {
      this.#failed = true;
      this.#compare(true);
    }
    return bytes.length;
  }

  finish(): boolean {
    if (this.#failed) return false;
    this.#compare(true);
    // A `=` at the very end is a soft line break whose CRLF belongs to the delimiter.
    const { length } = this.#cut;
    return !this.#blank && (length === 0 || (length === 1 && this.#cut[0] === equals));
  }

  get recipe(): Recipe {
    const tail = (this.#soft === softBreak ? '=\r\n' : '') + this.#cut.toString('latin1');
    return { encoding: 'quoted-printable', exceptions: [...this.#exceptions], tail };
  }

  /** How many octets were read. Sets `#unreadable` when reading cannot go on after them. */
  #parse(raw: Buffer): number {
    const { length } = this.#decoded;
    const decoded = grown(this.#decoded, raw.length);
    // Zero is `literal`.
    const choices = grown(this.#choices, raw.length);
    this.#count = length;
    const used = this.#parseInto(decoded, choices, raw);
    this.#decoded = decoded.subarray(0, this.#count);
    this.#choices = choices.subarray(0, this.#count);
    return used;
  }

  /**
   * A loop of its own, as in `#compareTo`: V8 compiles a long loop while it runs, without knowing what comes after it,
   * throws that code away at the loop's end, and does so again for each chunk. Short lines were read at half the speed.
   */
  #parseInto(decoded: Buffer, choices: Buffer, raw: Buffer): number {
    const end = raw.length;
    let [count, soft, blank, lines] = [this.#count, this.#soft, this.#blank, this.#lines];
    let at = 0;
    while (at < end) {
      const start = count;
      for (; at < end; at++) {
        const octet = raw[at]!;
        if (octet === equals || octet === cr || octet === lf) break;
        decoded[count++] = octet;
      }
      if (count > start) {
        choices[start] = soft;
        soft = 0;
        blank = isBlank(decoded[count - 1]!);
        if (at >= end) break;
      }
      const token = readToken(raw, at);
      if (token === cutToken) break;
      const form = token >> 8;
      if (form === unreadable || (form === lineEnd && blank) || (form === softBreak && soft !== 0)) {
        this.#unreadable = true;
        break;
      }
      blank = false;
      if (form === softBreak) {
        soft = softBreak;
        lines++;
        at += 3;
        continue;
      }
      decoded[count] = token & 0xff;
      choices[count++] = form + soft;
      soft = 0;
      if (form === lineEnd) {
        lines++;
        at += 2;
        decoded[count] = lf;
        choices[count++] = withFirst;
      } else at += 3;
    }
    [this.#count, this.#soft, this.#blank, this.#lines] = [count, soft, blank, lines];
    return at;
  }

  /** Compares what was written with what the model expects, as far as the octets after it are known. */
  #compare(final: boolean): void {
    const bytes = this.#decoded;
    const at = this.#compareTo(final ? bytes.length : bytes.length - 2);
    if (at === 0) return;
    this.#file.append(bytes.subarray(0, at));
    this.#decoded = Buffer.from(bytes.subarray(at));
    this.#choices = Buffer.from(this.#choices.subarray(at));
  }

  /** Returns how many octets were compared. */
  #compareTo(end: number): number {
    const bytes = this.#decoded;
    const choices = this.#choices;
    const model = this.#model;
    let at = 0;
    while (at < end) {
      const to = model.takeAsWritten(bytes, choices, { at, end });
      this.#asExpected += to - at - model.lineEndsTaken;
      at = to;
      if (at >= end) break;
      const choice = choices[at]!;
      if (choice !== withFirst) {
        if (model.take(placeAt(bytes, at), choice)) this.#asExpected++;
        else {
          this.#exceptions.push([this.#asExpected, choice]);
          this.#asExpected = 0;
        }
      }
      at++;
    }
    return at;
  }
}

/** An octet and, above it, the form in which it was written. */
type Token = number;

const unreadable = 7;
const broken: Token = unreadable << 8;
const soft: Token = softBreak << 8;
const hard: Token = (lineEnd << 8) + cr;
const cutToken = -1;

/** An escape or a line end. */
function readToken(raw: Buffer, at: number): Token {
  if (raw[at] === equals) {
    if (at + 2 >= raw.length) return cutToken;
    const next = raw[at + 1]!;
    const third = raw[at + 2]!;
    if (next === cr && third === lf) return soft;
    const high = hexDigits[next]!;
    const low = hexDigits[third]!;
    // No encoder mixes capital and small letters in one escape.
    const letters = (high | low) & 0xf0;
    if (letters > smallLetter) return broken;
    return ((letters === smallLetter ? smallLetters : capitals) << 8) + ((high & 0xf) << 4) + (low & 0xf);
  }
  if (raw[at] === lf) return broken;
  return at + 1 >= raw.length ? cutToken : raw[at + 1] === lf ? hard : broken;
}

const capitalLetter = 0x10;
const smallLetter = 0x20;
/** The value of a hex digit, with a flag for letters; 0x80: no hex digit. */
const hexDigits = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37 + capitalLetter;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 + smallLetter : 0x80;
});

function grown(bytes: Buffer, more: number): Buffer {
  const larger = Buffer.alloc(bytes.length + more);
  bytes.copy(larger);
  return larger;
}
