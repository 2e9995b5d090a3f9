import type { DetachedFile, Outgoing } from './interface.ts';
import { lengthOf, readPieces, type OutPiece } from './pieces.ts';
import type { Tape } from './spool/tape.ts';

const emptyLine = Buffer.from('\r\n');

/** A message that was never scanned: the bytes as received, beginning with the empty line. */
export function memoryOutgoing(header: Buffer, chunks: readonly Buffer[], owner?: Tape): Outgoing {
  const bytes = header.length + chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return {
    header,
    body: () => chunks,
    bytesIn: bytes,
    bytesOut: bytes,
    files: [],
    ...disposal(owner),
  };
}

/** A message on a tape, with what was replaced in it. */
export function tapeOutgoing(
  message: { readonly header: Buffer; readonly pieces: readonly OutPiece[]; readonly tape: Tape },
  about: { readonly bytesIn: number; readonly files: readonly DetachedFile[] },
): Outgoing {
  const { header, pieces, tape } = message;
  return {
    header,
    async *body() {
      yield emptyLine;
      yield* readPieces(pieces, tape);
    },
    bytesIn: about.bytesIn,
    bytesOut: header.length + emptyLine.length + lengthOf(pieces),
    files: about.files,
    ...disposal(tape),
  };
}

function disposal(tape: Tape | undefined): Pick<Outgoing, 'dispose'> {
  let held = tape;
  return {
    async dispose() {
      const mine = held;
      held = undefined;
      await mine?.release();
    },
  };
}
