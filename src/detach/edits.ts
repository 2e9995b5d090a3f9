/** The message as it goes out, made of the one that came in and what replaces parts of it. */
import { createHash } from 'node:crypto';
import type { MessageReader, FilePiece, Piece } from './message-reader.ts';
import { encode } from './encoding/encode.ts';
import type { FileReference, Manifest, ManifestEdit } from './manifest.ts';
import type { Tape } from './spool/tape.ts';

/** This stretch of the message as received is replaced. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly insert: Buffer;
}

/** A stretch of the outgoing body. */
export type OutPiece = Piece | { readonly kind: 'bytes'; readonly bytes: Buffer };

/** The outgoing body. `edits` are in order and do not overlap. */
export function applyEdits(collector: MessageReader, edits: readonly Edit[]): OutPiece[] {
  const out: OutPiece[] = [];
  let at = 0;
  for (const { from, to, insert } of edits) {
    out.push(...collector.slice(at, from));
    if (insert.length > 0) out.push({ kind: 'bytes', bytes: insert });
    at = to;
  }
  out.push(...collector.slice(at, collector.length));
  return out;
}

export const lengthOf = (pieces: readonly OutPiece[]): number =>
  pieces.reduce((sum, piece) => sum + (piece.kind === 'bytes' ? piece.bytes.length : piece.length), 0);

/** The bytes as buffers that belong to the caller. */
export function readPieces(pieces: Iterable<OutPiece>, tape: Tape): AsyncGenerator<Buffer, void, undefined> {
  return blocksOf(pieces, (from, to) => tape.read(from, to));
}

/** The bytes in buffers that are the caller's until the next is asked for. */
function lendPieces(pieces: Iterable<OutPiece>, tape: Tape): AsyncGenerator<Buffer, void, undefined> {
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

/** How the edits are undone. `hashes` names the files that left the message. */
export async function describeEdits(
  edits: readonly Edit[],
  collector: MessageReader,
  options: { readonly tape: Tape; readonly hashes: ReadonlyMap<FilePiece, string> },
): Promise<ManifestEdit[]> {
  const described: ManifestEdit[] = [];
  let shift = 0;
  for (const { from, to, insert } of edits) {
    const pieces: (string | FileReference)[] = [];
    for (const piece of collector.slice(from, to)) {
      const sha256 = piece.kind === 'file' ? options.hashes.get(piece) : undefined;
      if (piece.kind === 'file' && sha256 !== undefined)
        pieces.push({ sha256, size: piece.size, recipe: piece.recipe });
      else pieces.push((await collect([piece], options.tape)).toString('latin1'));
    }
    described.push({ at: from + shift, remove: insert.length, insert: pieces });
    shift += insert.length - (to - from);
  }
  return described;
}

export async function describeBody(pieces: readonly OutPiece[], tape: Tape): Promise<Manifest['delivered']> {
  const hash = createHash('sha256');
  for await (const block of lendPieces(pieces, tape)) hash.update(block);
  return { size: lengthOf(pieces), sha256: hash.digest('hex') };
}

/** The edit that turns one text into the other and touches as little as possible. */
export function smallestEdit(at: number, before: Buffer, after: Buffer): Edit {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { from: at + head, to: at + before.length - tail, insert: after.subarray(head, after.length - tail) };
}
