import type { Container } from './structure.ts';

/** A multipart whose delimiter lines are looked for. */
interface Level {
  readonly boundary: string;
  readonly bytes: Buffer;
  readonly container: Container;
  /** How many octets it has in common with the boundary of the level around it. */
  readonly shared: number;
}

export type Beginning =
  /** No open boundary begins as the line does. */
  | 'none'
  /** The bytes end too early to tell. */
  | 'cut'
  /** The line begins with an open boundary. */
  | 'boundary';

/**
 * The boundaries that are open, outermost first.
 *
 * A text can have millions of lines that begin with two dashes, and each byte of them must be cheap. So a line is
 * compared with all boundaries at once, byte by byte, and only a line that begins with a whole boundary is looked up.
 */
export class OpenBoundaries {
  readonly #levels: Level[] = [];
  readonly #indexOf = new Map<string, number>();
  /** How many of them begin with each octet. */
  readonly #firsts = new Uint16Array(256);

  get isEmpty(): boolean {
    return this.#levels.length === 0;
  }

  names(): Iterable<string> {
    return this.#indexOf.keys();
  }

  container(level: number): Container {
    return this.#levels[level]!.container;
  }

  find(boundary: string): number | undefined {
    return this.#indexOf.get(boundary);
  }

  open(boundary: string, container: Container): void {
    const bytes = Buffer.from(boundary, 'latin1');
    const around = this.#levels.at(-1)?.bytes;
    this.#indexOf.set(boundary, this.#levels.length);
    this.#levels.push({ boundary, bytes, container, shared: around ? commonLength(bytes, around) : 0 });
    this.#firsts[bytes[0]!]! += 1;
  }

  /** Closes all but the outermost `keep`. */
  close(keep: number): void {
    for (const { boundary, bytes } of this.#levels.splice(keep)) {
      this.#indexOf.delete(boundary);
      this.#firsts[bytes[0]!]! -= 1;
    }
  }

  /** Whether a boundary can begin with this octet. True for an octet that has not arrived yet. */
  mayBeginWith(octet: number | undefined): boolean {
    return octet === undefined || this.#firsts[octet] !== 0;
  }

  /** Compares the line whose boundary would stand at `at` with the open boundaries. */
  beginning(buffer: Buffer, at: number): Beginning {
    let found: Beginning = 'none';
    /** Octets in common with the level before. */
    let known = 0;
    for (const { bytes, shared } of this.#levels) {
      // The line differs from the previous boundary within the prefix that both boundaries share, so it differs from
      // both.
      if (shared > known && at + known < buffer.length) continue;
      // The two boundaries differ where the line still agrees with the first, so it differs from the second.
      if (shared < known) known = shared;
      else if (shared === known) while (known < bytes.length && buffer[at + known] === bytes[known]) known += 1;
      if (known === bytes.length) return 'boundary';
      if (at + known >= buffer.length) found = 'cut';
    }
    return found;
  }
}

function commonLength(a: Buffer, b: Buffer): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
