import { writeQuoted } from './quoted-writer.ts';
import type { Base64Recipe, Recipe } from './recipe.ts';

/** The encoded form of a file, by its recipe. */
export async function* encode(decoded: AsyncIterable<Buffer>, recipe: Recipe): AsyncGenerator<Buffer, void, undefined> {
  switch (recipe.encoding) {
    case 'identity':
      yield* decoded;
      return;
    case 'base64':
      yield* encodeBase64(decoded, recipe);
      return;
    case 'quoted-printable':
      yield* writeQuoted(decoded, recipe);
      return;
    default:
      recipe satisfies never;
  }
}

async function* encodeBase64(decoded: AsyncIterable<Buffer>, recipe: Base64Recipe): AsyncGenerator<Buffer> {
  const layout = new Layout(recipe);
  let rest: Buffer = Buffer.alloc(0);
  for await (const block of decoded) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, block]) : block;
    const whole = bytes.length - (bytes.length % 3);
    yield layout.lay(Buffer.from(bytes.toString('base64', 0, whole), 'latin1'));
    rest = Buffer.from(bytes.subarray(whole));
  }
  yield layout.lay(Buffer.from(recipe.tail, 'latin1'));
  yield layout.end();
}

/** Lines of this length or more are copied by the library: its call costs more than a short line. */
const longLine = 24;

/** Puts the separators between the characters. */
class Layout {
  readonly #lines: Base64Recipe['lines'];
  #run = 0;
  #done = 0;
  /** Characters still to come on the line under way. */
  #left: number;

  constructor({ lines }: Base64Recipe) {
    this.#lines = lines;
    this.#left = lines[0]?.[0] ?? 0;
  }

  lay(chars: Buffer): Buffer {
    const out: Buffer[] = [];
    let at = 0;
    while (at < chars.length && this.#run < this.#lines.length) {
      const count = this.#layWholeLines(chars, at, out);
      if (count > 0) {
        at += count;
        continue;
      }
      const taken = Math.min(this.#left, chars.length - at);
      out.push(chars.subarray(at, at + taken));
      at += taken;
      this.#left -= taken;
      if (this.#left === 0) this.#endLine(out);
    }
    return out.length === 1 ? out[0]! : Buffer.concat(out);
  }

  /** Lines without characters that are left. */
  end(): Buffer {
    const out: Buffer[] = [];
    while (this.#run < this.#lines.length && this.#left === 0) this.#endLine(out);
    return Buffer.concat(out);
  }

  #layWholeLines(chars: Buffer, at: number, out: Buffer[]): number {
    const [length, separator, count] = this.#lines[this.#run]!;
    if (length === 0 || this.#left < length) return 0;
    const lines = Math.min(count - this.#done, Math.floor((chars.length - at) / length));
    if (lines < 2) return 0;
    const stride = length + separator.length;
    const block = Buffer.allocUnsafe(lines * stride);
    const end = Buffer.from(separator, 'latin1');
    for (let i = 0, to = 0, from = at; i < lines; i++, to += stride, from += length) {
      if (length >= longLine) chars.copy(block, to, from, from + length);
      else for (let k = 0; k < length; k++) block[to + k] = chars[from + k]!;
      for (let k = 0; k < end.length; k++) block[to + length + k] = end[k]!;
    }
    out.push(block);
    this.#done += lines;
    if (this.#done === count) this.#nextRun();
    return lines * length;
  }

  #endLine(out: Buffer[]): void {
    const [length, separator, count] = this.#lines[this.#run]!;
    out.push(Buffer.from(separator, 'latin1'));
    this.#done += 1;
    if (this.#done === count) this.#nextRun();
    else this.#left = length;
  }

  #nextRun(): void {
    this.#run += 1;
    this.#done = 0;
    this.#left = this.#lines[this.#run]?.[0] ?? 0;
  }
}
