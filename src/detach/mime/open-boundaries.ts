import type { Container } from './structure.ts';

/** A multipart whose delimiter lines are looked for. */
interface Level {
  readonly boundary: string;
  readonly bytes: Buffer;
  readonly container: Container;
}

/** A boundary among all that are open, in the order of their octets. */
interface Entry {
  readonly bytes: Buffer;
  /** How many octets it has in common with the one before. */
  readonly shared: number;
  /** The place of the next one that has fewer octets in common with the one before it than this one has. */
  readonly next: number;
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
 * A text can have millions of lines that begin with two dashes, and each byte of them must be cheap, whatever the
 * boundaries have in common. So they are kept in order: no octet of a line is compared twice, and only a line that begins
 * with a whole boundary is looked up.
 */
export class OpenBoundaries {
  readonly #levels: Level[] = [];
  readonly #indexOf = new Map<string, number>();
  #ordered: readonly Entry[] = [];
  /** For each octet, the place in `#ordered` of the first that begins with it, plus one. */
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
    this.#indexOf.set(boundary, this.#levels.length);
    this.#levels.push({ boundary, bytes: Buffer.from(boundary, 'latin1'), container });
    this.#order();
  }

  /** Closes all but the outermost `keep`. */
  close(keep: number): void {
    if (keep >= this.#levels.length) return;
    for (const { boundary } of this.#levels.splice(keep)) this.#indexOf.delete(boundary);
    this.#order();
  }

  /** Whether an open boundary begins with this octet. */
  beginsWith(octet: number): boolean {
    return this.#firsts[octet] !== 0;
  }

  /** Compares the line whose boundary would stand at `at` with the open boundaries. */
  beginning(buffer: Buffer, at: number): Beginning {
    const entries = this.#ordered;
    if (at >= buffer.length) return entries.length > 0 ? 'cut' : 'none';
    /** Octets that the line has in common with the entry before. */
    let known = 0;
    for (let i = this.#firsts[buffer[at]!]! - 1; i >= 0 && i < entries.length;) {
      const { bytes, shared, next } = entries[i]!;
      // The line agrees with the entry before for longer than this one does; those that follow differ as early.
      if (shared < known) break;
      // The line differs from the entry before within what both entries have in common.
      if (shared > known) i = next;
      else {
        while (known < bytes.length && buffer[at + known] === bytes[known]) known += 1;
        if (known === bytes.length) return 'boundary';
        i += 1;
      }
    }
    return at + known >= buffer.length ? 'cut' : 'none';
  }

  #order(): void {
    const ordered = this.#levels.map(({ bytes }) => bytes).sort((a, b) => a.compare(b));
    const shared = ordered.map((bytes, i) => (i > 0 ? commonLength(bytes, ordered[i - 1]!) : 0));
    this.#ordered = ordered.map((bytes, i) => {
      const next = shared.findIndex((length, j) => j > i && length < shared[i]!);
      return { bytes, shared: shared[i]!, next: next < 0 ? ordered.length : next };
    });
    this.#firsts.fill(0);
    for (let i = ordered.length - 1; i >= 0; i--) this.#firsts[ordered[i]![0]!] = i + 1;
  }
}

function commonLength(a: Buffer, b: Buffer): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
