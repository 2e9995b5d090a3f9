import type { FileDigest } from '../../runtime/hashing/hash-thread.ts';
import type { FileHashes } from '../spool/file-hashes.ts';
import type { Tape } from '../spool/tape.ts';
import { countGarbage } from '../../runtime/minor-collection.ts';
import type { Recipe } from './recipe.ts';

/** Decodes one part onto the tape while it arrives, and learns how to encode it again. */
export interface Reader {
  /** How many of these bytes the recipe covers. Fewer than all: the reader cannot go on and takes no more bytes. */
  push(bytes: Buffer): number;
  /** Whether the decoded file is complete, as every reader of the mail would see it. */
  finish(): boolean;
  readonly recipe: Recipe;
  /** Why it takes no more bytes, where that is a limit and not what stands in them. */
  readonly gaveUp?: string | undefined;
}

const maxStartBytes = 128;

/** Where decoded bytes go: onto the tape, counted and hashed. */
export class DecodedFile {
  readonly from: number;
  size = 0;
  /** The first bytes: they show the real kind of the file, whatever its name says. */
  start: Buffer = Buffer.alloc(0);
  readonly #tape: Tape;
  readonly #hashes: FileHashes;

  constructor(tape: Tape, hashes: FileHashes) {
    this.#tape = tape;
    this.#hashes = hashes;
    this.from = tape.length;
    hashes.begin();
  }

  append(bytes: Buffer): void {
    this.#tape.append(bytes);
    this.#count(bytes);
  }

  /** Decodes base64 in place. Takes nothing unless the result has `expected` bytes. */
  appendBase64(text: string, expected: number): boolean {
    const room = this.#tape.room(expected + 3);
    const written = room.write(text, 0, expected + 3, 'base64');
    countGarbage(text.length);
    if (written !== expected) return false;
    this.#tape.commit(written);
    this.#count(room.subarray(0, written));
    return true;
  }

  #count(bytes: Buffer): void {
    if (this.size < maxStartBytes)
      this.start = Buffer.concat([this.start, bytes.subarray(0, maxStartBytes - this.size)]);
    this.size += bytes.length;
  }

  end(): Promise<FileDigest> {
    return this.#hashes.end();
  }

  abandon(): void {
    this.#hashes.abandon();
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
