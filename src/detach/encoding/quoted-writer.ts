import { octetOf, placeAt, QuotedModel, capitals, lineEnd, literal, smallLetters, softBreak } from './quoted-model.ts';
import type { QuotedRecipe } from './recipe.ts';

const equals = 0x3d;
const cr = 0x0d;
const lf = 0x0a;
/** The sixteen digits of each form of an escape. */
const hexDigits = [capitals, smallLetters].map((form) =>
  Buffer.from(form === capitals ? '0123456789ABCDEF' : '0123456789abcdef'),
);

/** A soft line break and an escape. */
const widest = 6;

/** Quoted-printable by its recipe. Holds back the two octets that decide how the ones before them are written. */
export async function* writeQuoted(decoded: AsyncIterable<Buffer>, recipe: QuotedRecipe): AsyncGenerator<Buffer> {
  const writer = new QuotedWriter(recipe);
  for await (const block of decoded) yield writer.write(block, false);
  yield writer.write(Buffer.alloc(0), true);
  yield Buffer.from(recipe.tail, 'latin1');
}

class QuotedWriter {
  readonly #model = new QuotedModel();
  readonly #exceptions: QuotedRecipe['exceptions'];
  #next = 0;
  /** Octets until the next exception. */
  #skip: number;
  #held: Buffer = Buffer.alloc(0);
  /** Written to for each block, and copied from. */
  #room: Buffer = Buffer.alloc(0);

  constructor({ exceptions }: QuotedRecipe) {
    this.#exceptions = exceptions;
    this.#skip = exceptions[0]?.[0] ?? Infinity;
  }

  write(block: Buffer, final: boolean): Buffer {
    const bytes = Buffer.concat([this.#held, block]);
    const end = final ? bytes.length : bytes.length - 2;
    if (this.#room.length < end * widest) this.#room = Buffer.allocUnsafe(end * widest);
    const out = this.#room;
    let length = 0;
    let at = 0;
    while (at < end) {
      const plain = this.#model.takePlain(bytes, at, Math.min(end, at + this.#skip));
      if (plain > at) {
        this.#skip -= plain - at;
        while (at < plain) out[length++] = bytes[at++]!;
        continue;
      }
      const place = placeAt(bytes, at);
      const expected = this.#model.expect(place);
      const choice = this.#choose(expected);
      this.#model.learn(place, choice, expected);
      // `copy` takes ten times as long for two or three octets.
      if (choice >= softBreak) {
        out[length++] = equals;
        out[length++] = cr;
        out[length++] = lf;
      }
      const form = choice & 3;
      if (form === lineEnd) {
        out[length++] = cr;
        out[length++] = lf;
      } else if (form === literal) out[length++] = octetOf(place);
      else {
        const digits = hexDigits[form - 1]!;
        out[length++] = equals;
        out[length++] = digits[octetOf(place) >> 4]!;
        out[length++] = digits[octetOf(place) & 0xf]!;
      }
      at += form === lineEnd ? 2 : 1;
    }
    this.#held = Buffer.from(bytes.subarray(at));
    return Buffer.from(out.subarray(0, length));
  }

  #choose(expected: number): number {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return expected;
    }
    const [, choice] = this.#exceptions[this.#next]!;
    this.#next += 1;
    this.#skip = this.#exceptions[this.#next]?.[0] ?? Infinity;
    return choice;
  }
}
