/** A body as a list of pieces: stretches of a tape, as received or decoded, and new bytes. */
import { encode } from './encoding/encode.ts';
import type { Recipe } from './encoding/recipe.ts';
import type { Tape } from './spool/tape.ts';

/** A stretch of the message as received: on the tape as it is, or decoded. */
export type Piece = TapePiece | FilePiece;

interface Stretch {
  /** Position in the message (from the first byte after its header), and length there. */
  readonly at: number;
  readonly length: number;
  /** Position on the tape. */
  readonly from: number;
}

export interface TapePiece extends Stretch {
  readonly kind: 'tape';
}

export interface FilePiece extends Stretch {
  readonly kind: 'file';
  /** Bytes on the tape. */
  readonly size: number;
  readonly recipe: Recipe;
}

/** A stretch of the outgoing body. */
export type OutPiece = Piece | { readonly kind: 'bytes'; readonly bytes: Buffer };

export const lengthOf = (pieces: readonly OutPiece[]): number =>
  pieces.reduce((sum, piece) => sum + (piece.kind === 'bytes' ? piece.bytes.length : piece.length), 0);

/** The bytes as buffers that belong to the caller. */
export function readPieces(pieces: Iterable<OutPiece>, tape: Tape): AsyncGenerator<Buffer, void, undefined> {
  return blocksOf(pieces, (from, to) => tape.read(from, to));
}

/** The bytes as buffers, each of which belongs to the caller until it asks for the next one. */
export function lendPieces(pieces: Iterable<OutPiece>, tape: Tape): AsyncGenerator<Buffer, void, undefined> {
  return blocksOf(pieces, (from, to) => tape.lend(from, to));
}

async function* blocksOf(
  pieces: Iterable<OutPiece>,
  read: (from: number, to: number) => AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'bytes':
        yield piece.bytes;
        break;
      case 'tape':
        yield* read(piece.from, piece.from + piece.length);
        break;
      case 'file':
        yield* encode(read(piece.from, piece.from + piece.size), piece.recipe);
        break;
      default:
        piece satisfies never;
    }
  }
}

export async function collect(pieces: Iterable<OutPiece>, tape: Tape): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of readPieces(pieces, tape)) blocks.push(block);
  return Buffer.concat(blocks);
}
