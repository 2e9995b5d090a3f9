/** A message that was read to its end. */
import type { HeaderBlock } from '../message/header-block.ts';
import type { FileDigest } from '../runtime/hashing/hash-thread.ts';
import type { Leaf } from './mime/structure.ts';
import { collect, type FilePiece, type Piece } from './pieces.ts';
import type { Candidate, Reason } from './policy.ts';
import type { Tape } from './spool/tape.ts';

/** A leaf that was read to its end. */
export interface ReadLeaf {
  readonly leaf: Leaf;
  readonly end: number;
  /** Where the next delimiter line begins. */
  readonly next: number;
}

/** A leaf that was decoded, because it may be detached. */
export interface FilePart extends ReadLeaf {
  readonly candidate: Candidate;
  readonly piece: FilePiece;
  readonly digest: Promise<FileDigest>;
}

export class ReadMessage {
  readonly header: HeaderBlock;
  /** Holds the bytes of the pieces. It is the caller's, who releases it. */
  readonly tape: Tape;
  /** The body, in order and without gaps. */
  readonly pieces: readonly Piece[];
  /** What may be detached, and the texts that a notice may stand in, in the order of the message. */
  readonly files: readonly FilePart[];
  readonly texts: readonly ReadLeaf[];
  /** How many other parts are left alone, and why. */
  readonly left: ReadonlyMap<Reason, number>;
  /** Why nothing may be detached; undefined: it may. */
  readonly limit: string | undefined;
  /** Bytes of the body. */
  readonly length: number;

  constructor(parts: Omit<ReadMessage, 'length' | 'bytes' | 'slice'>) {
    this.header = parts.header;
    this.tape = parts.tape;
    this.pieces = parts.pieces;
    this.files = parts.files;
    this.texts = parts.texts;
    this.left = parts.left;
    this.limit = parts.limit;
    const last = parts.pieces.at(-1);
    this.length = last ? last.at + last.length : 0;
  }

  /** The bytes of a stretch of the body. */
  bytes(from: number, to: number): Promise<Buffer> {
    return collect(this.slice(from, to), this.tape);
  }

  /** The pieces of a stretch of the body. */
  slice(from: number, to: number): Piece[] {
    const found: Piece[] = [];
    for (let i = this.#pieceAt(from); i < this.pieces.length; i++) {
      const piece = this.pieces[i]!;
      if (piece.at >= to) break;
      const start = Math.max(from, piece.at);
      const end = Math.min(to, piece.at + piece.length);
      if (start >= end) continue;
      if (piece.kind === 'tape')
        found.push({ kind: 'tape', at: start, length: end - start, from: piece.from + start - piece.at });
      else if (end - start === piece.length) found.push(piece);
      else throw new Error('a file cannot be cut');
    }
    return found;
  }

  /** The first piece that ends after this position: a message can have thousands, and as many edits. */
  #pieceAt(position: number): number {
    let [low, high] = [0, this.pieces.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { at, length } = this.pieces[middle]!;
      if (at + length <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
