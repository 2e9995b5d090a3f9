/** Makes the manifest of a message: how to rebuild the original from the delivered message and the stored files. */
import { createHash } from 'node:crypto';
import type { HashedPart } from './commit-files.ts';
import type { Edit } from './edits.ts';
import { writeManifest, type FileReference, type Manifest, type ManifestEdit } from './manifest.ts';
import { takeTurns } from '../runtime/take-turns.ts';
import { collect, lengthOf, lendPieces, type OutPiece, type Piece } from './pieces.ts';
import type { ReadMessage } from './read-message.ts';
import type { Rewritten } from './rewrite-message.ts';
import type { Tape } from './spool/tape.ts';

export interface DescribeOptions {
  /** The files that left the message. */
  readonly files: readonly HashedPart[];
  /** Of the body as it came, as `Checksum` gives it. */
  readonly checksum: string;
}

export async function describeMessage(
  message: ReadMessage,
  { edits, pieces }: Pick<Rewritten, 'edits' | 'pieces'>,
  { files, checksum }: DescribeOptions,
): Promise<Buffer> {
  const hashes = new Map<Piece, string>(files.map(({ piece, sha256 }) => [piece, sha256]));
  return writeManifest({
    v: 1,
    original: { header: message.header.raw.toString('latin1'), size: message.length, gmac: checksum },
    delivered: await describeBody(pieces, message.tape),
    edits: await describeEdits(message, { edits, hashes }),
  });
}

/** How the edits are undone. */
async function describeEdits(
  message: ReadMessage,
  { edits, hashes }: { readonly edits: readonly Edit[]; readonly hashes: ReadonlyMap<Piece, string> },
): Promise<ManifestEdit[]> {
  const described: ManifestEdit[] = [];
  let shift = 0;
  for (const { from, to, insert } of edits) {
    const pieces: (string | FileReference)[] = [];
    await takeTurns();
    for (const piece of message.slice(from, to)) {
      const sha256 = piece.kind === 'file' ? hashes.get(piece) : undefined;
      if (piece.kind === 'file' && sha256 !== undefined)
        pieces.push({ sha256, size: piece.size, recipe: piece.recipe });
      else pieces.push((await collect([piece], message.tape)).toString('latin1'));
    }
    described.push({ at: from + shift, remove: insert.length, insert: pieces });
    shift += insert.length - (to - from);
  }
  return described;
}

async function describeBody(pieces: readonly OutPiece[], tape: Tape): Promise<Manifest['delivered']> {
  const hash = createHash('sha256');
  for await (const block of lendPieces(pieces, tape)) hash.update(block);
  return { size: lengthOf(pieces), sha256: hash.digest('hex') };
}
