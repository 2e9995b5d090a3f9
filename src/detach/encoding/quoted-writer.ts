import { octetOf, placeAt, QuotedModel, capitals, lineEnd, literal, smallLetters, softBreak } from './quoted-model.ts';
import type { QuotedRecipe } from './recipe.ts';

const line = Buffer.from('\r\n');
const soft = Buffer.from('=\r\n');
const escapes = [capitals, smallLetters].map((form) =>
  Array.from({ length: 256 }, (_, byte) => {
    const digits = byte.toString(16).padStart(2, '0');
    return Buffer.from(`=${form === capitals ? digits.toUpperCase() : digits}`);
  }),
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

  constructor({ exceptions }: QuotedRecipe) {
    this.#exceptions = exceptions;
    this.#skip = exceptions[0]?.[0] ?? Infinity;
  }

  write(block: Buffer, final: boolean): Buffer {
    const bytes = Buffer.concat([this.#held, block]);
    const end = final ? bytes.length : bytes.length - 2;
    const out = Buffer.allocUnsafe(Math.max(0, end) * widest);
    let length = 0;
    let at = 0;
    while (at < end) {
      const place = placeAt(bytes, at);
      const expected = this.#model.expect(place);
      const choice = this.#choose(expected);
      this.#model.learn(place, choice, expected);
      if (choice >= softBreak) length += soft.copy(out, length);
      const form = choice & 3;
      if (form === lineEnd) length += line.copy(out, length);
      else if (form === literal) out[length++] = octetOf(place);
      else length += escapes[form - 1]![octetOf(place)]!.copy(out, length);
      at += form === lineEnd ? 2 : 1;
    }
    this.#held = Buffer.from(bytes.subarray(at));
    return out.subarray(0, length);
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
