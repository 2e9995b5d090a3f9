import { encode } from '../encoding/encode.ts';
import { DecodedFile, type Reader } from '../encoding/reader.ts';
import type { Recipe } from '../encoding/recipe.ts';
import { FileHashes } from '../spool/file-hashes.ts';
import { Spool } from '../spool/spool.ts';
import { Tape } from '../spool/tape.ts';
import { silentMeter } from './lab.ts';

export interface ReadEncoded {
  readonly decoded: Buffer;
  readonly complete: boolean;
  /** Encoded bytes that the recipe covers. */
  readonly taken: number;
  /** What the recipe makes of the decoded bytes. */
  readonly again: string;
  readonly recipe: Recipe;
}

/** Never written to: what is read here fits in memory. */
const spool = new Spool({ directory: '/nonexistent', maxBytes: 0, meter: silentMeter });

/** Reads a body in these chunks, and writes it again. */
export async function readEncoded(
  kind: new (file: DecodedFile) => Reader,
  chunks: readonly Buffer[],
): Promise<ReadEncoded> {
  const tape = new Tape(spool);
  const file = new DecodedFile(tape, new FileHashes(tape));
  const reader = new kind(file);
  let taken = 0;
  for (const chunk of chunks) {
    const count = reader.push(chunk);
    taken += count;
    if (count < chunk.length) break;
  }
  const complete = reader.finish();
  const { recipe } = reader;
  const decoded: Buffer[] = [];
  for await (const block of tape.read(0, file.size)) decoded.push(block);
  let again = '';
  for await (const block of encode(tape.read(0, file.size), recipe)) again += block.toString('latin1');
  await tape.release();
  return { decoded: Buffer.concat(decoded), complete, taken, again, recipe };
}
