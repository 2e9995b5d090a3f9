import { createHash, type Hash } from 'node:crypto';
import type { Tape } from '../spool/tape.ts';
import { leaveGarbage } from '../young-garbage.ts';
import type { Recipe } from './recipe.ts';

/** Decodes one part onto the tape while it arrives, and learns how to encode it again. */
export interface Reader {
  /** How many of these bytes are covered by the recipe; fewer than all: it cannot go on, and takes no more. */
  push(bytes: Buffer): number;
  /** Whether the decoded file is complete, as every reader of the mail would see it. */
  finish(): boolean;
  readonly recipe: Recipe;
}

/** Where decoded bytes go: onto the tape, counted and hashed. */
export class DecodedFile {
  readonly from: number;
  size = 0;
  readonly #tape: Tape;
  readonly #hash: Hash = createHash('sha256');

  constructor(tape: Tape) {
    this.#tape = tape;
    this.from = tape.length;
  }

  append(bytes: Buffer): void {
    this.#tape.append(bytes);
    this.#hash.update(bytes);
    this.size += bytes.length;
  }

  /** Decodes base64 in place; what does not give `expected` bytes is not taken. */
  appendBase64(text: string, expected: number): boolean {
    const room = this.#tape.room(expected + 3);
    const written = room.write(text, 0, expected + 3, 'base64');
    leaveGarbage(text.length);
    if (written !== expected) return false;
    this.#hash.update(room.subarray(0, written));
    this.#tape.commit(written);
    this.size += written;
    return true;
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

export class IdentityReader implements Reader {
  readonly recipe: Recipe = { encoding: 'identity' };
  readonly #file: DecodedFile;

  constructor(file: DecodedFile) {
    this.#file = file;
  }

  push(bytes: Buffer): number {
    this.#file.append(bytes);
    return bytes.length;
  }

  finish(): boolean {
    return true;
  }
}
