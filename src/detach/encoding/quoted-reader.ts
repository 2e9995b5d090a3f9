/**
 * Decodes quoted-printable (RFC 2045 section 6.7) and learns how it was written.
 *
 * Stops at what mail programs read differently: blanks at the end of a line, `=` without hex digits, a lone CR or LF.
 * Holds two decoded octets, an unfinished escape, and the exceptions from the model, which `maxRecipeBytes` bounds.
 */
import {
  isWithinLine,
  placeAt,
  QuotedModel,
  capitals,
  lineEnd,
  literal,
  smallLetters,
  softBreak,
} from './quoted-model.ts';
import type { DecodedFile, Reader } from './reader.ts';
import { maxRecipeBytes, exceptionCost, type Recipe } from './recipe.ts';

const equals = 0x3d;
const cr = 0x0d;
const lf = 0x0a;

/** The second octet of a line end: written with the first. */
const withFirst = 255;

export class QuotedReader implements Reader {
  readonly #file: DecodedFile;
  readonly #model = new QuotedModel();
  readonly #exceptions: [skip: number, choice: number][] = [];
  #asExpected = 0;
  /** Raw octets of an escape or a line end that the chunk cut. */
  #cut: Buffer = Buffer.alloc(0);
  #soft = false;
  /** The last octet was a blank, written as itself. */
  #blank = false;
  /** Decoded octets that wait for the two after them, and how they were written. */
  #decoded: Buffer = Buffer.alloc(0);
  #choices: Buffer = Buffer.alloc(0);
  #failed = false;

  constructor(file: DecodedFile) {
    this.#file = file;
  }

  push(bytes: Buffer): number {
    if (this.#failed) return 0;
    const before = this.#cut.length;
    const raw = before > 0 ? Buffer.concat([this.#cut, bytes]) : bytes;
    const { used, ok } = this.#parse(raw);
    if (!ok) {
      this.#failed = true;
      // What was cut off from earlier chunks was taken with them.
      this.#cut = Buffer.from(raw.subarray(used, Math.max(used, before)));
      this.#compare(true);
      return Math.max(0, used - before);
    }
    this.#cut = Buffer.from(raw.subarray(used));
    this.#compare(false);
    if (this.#exceptions.length * exceptionCost > maxRecipeBytes) {
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
    const tail = (this.#soft ? '=\r\n' : '') + this.#cut.toString('latin1');
    return { encoding: 'quoted-printable', exceptions: [...this.#exceptions], tail };
  }

  /** How many octets were read, and whether reading can go on after them. */
  #parse(raw: Buffer): { readonly used: number; readonly ok: boolean } {
    const decoded = grown(this.#decoded, raw.length);
    const choices = grown(this.#choices, raw.length);
    let count = this.#decoded.length;
    let at = 0;
    let ok = true;
    while (at < raw.length) {
      const octet = raw[at]!;
      if (octet !== equals && octet !== cr && octet !== lf) {
        at += 1;
        this.#blank = octet === 0x20 || octet === 0x09;
        decoded[count] = octet;
        choices[count++] = this.#soft ? literal + softBreak : literal;
        this.#soft = false;
        continue;
      }
      const token = readToken(raw, at);
      if (token === cutToken) break;
      const { value, form, length } = token;
      if (form === unreadable || (form === lineEnd && this.#blank) || (form === softBreak && this.#soft)) {
        ok = false;
        break;
      }
      at += length;
      this.#blank = false;
      if (form === softBreak) {
        this.#soft = true;
        continue;
      }
      decoded[count] = value;
      choices[count++] = form + (this.#soft ? softBreak : 0);
      this.#soft = false;
      if (form === lineEnd) {
        decoded[count] = lf;
        choices[count++] = withFirst;
      }
    }
    this.#decoded = decoded.subarray(0, count);
    this.#choices = choices.subarray(0, count);
    return { used: at, ok };
  }

  /** Compares what was written with what the model expects, as far as the octets after it are known. */
  #compare(final: boolean): void {
    const bytes = this.#decoded;
    const end = final ? bytes.length : bytes.length - 2;
    let at = 0;
    for (; at < end; at++) {
      const choice = this.#choices[at]!;
      if (choice === withFirst) continue;
      if (choice === literal && isWithinLine(bytes, at) && this.#model.takePlain(bytes[at]!)) {
        this.#asExpected++;
        continue;
      }
      const place = placeAt(bytes, at);
      const expected = this.#model.expect(place);
      if (choice === expected) this.#asExpected++;
      else {
        this.#exceptions.push([this.#asExpected, choice]);
        this.#asExpected = 0;
      }
      this.#model.learn(place, choice, expected);
    }
    if (at === 0) return;
    this.#file.append(bytes.subarray(0, at));
    this.#decoded = Buffer.from(bytes.subarray(at));
    this.#choices = Buffer.from(this.#choices.subarray(at));
  }
}

interface Token {
  readonly value: number;
  readonly form: number;
  readonly length: number;
}

const unreadable = 255;
const broken: Token = { value: 0, form: unreadable, length: 0 };
const soft: Token = { value: 0, form: softBreak, length: 3 };
const hard: Token = { value: cr, form: lineEnd, length: 2 };
/** One shared token for each octet and form of escape, so that a large part does not make millions of objects. */
const [inCapitals, inSmallLetters] = [capitals, smallLetters].map((form) =>
  Array.from({ length: 256 }, (_, value): Token => ({ value, form, length: 3 })),
) as [Token[], Token[]];
const cutToken = Symbol('cut');

/** An escape or a line end. */
function readToken(raw: Buffer, at: number): Token | typeof cutToken {
  const byte = raw[at]!;
  const next = raw[at + 1];
  if (byte === equals) {
    const third = raw[at + 2];
    if (next === undefined || third === undefined) return cutToken;
    if (next === cr && third === lf) return soft;
    const high = hexDigit(next);
    const low = hexDigit(third);
    // No encoder mixes capital and small letters in one escape.
    const form = (high | low) & 0x30;
    if (high < 0 || low < 0 || form === 0x30) return broken;
    return (form === 0x20 ? inSmallLetters : inCapitals)[(high & 0xf) * 16 + (low & 0xf)]!;
  }
  if (byte === lf) return broken;
  return next === undefined ? cutToken : next === lf ? hard : broken;
}

/** The value, plus 16 for a capital letter and 32 for a small one; -1: no hex digit. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37 + 0x10;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 + 0x20 : -1;
}

function grown(bytes: Buffer, more: number): Buffer {
  const larger = Buffer.allocUnsafe(bytes.length + more);
  bytes.copy(larger);
  return larger;
}
