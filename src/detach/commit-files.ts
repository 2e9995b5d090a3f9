import { unlessAborted } from '../limits/unless-aborted.ts';
import type { Meter } from '../observe/interface.ts';
import { Failure } from '../smtp/failures.ts';
import type { FileDigest } from '../runtime/hashing/hash-thread.ts';
import type { Link, MessageRecords, NewFile, NewMessage, Store } from '../storage/interface.ts';
import type { FilePart } from './read-message.ts';
import type { Tape } from './spool/tape.ts';

/** Files of one message that are stored at the same time. */
const maxParallel = 3;

/** How long an upload may go on, also after its transaction ended. The sending Postfix gives up earlier than this. */
const uploadTimeoutMs = 15 * 60_000;

/** A file whose name in storage is known. */
export interface HashedPart extends FilePart, FileDigest {}

export interface Committed {
  readonly part: HashedPart;
  readonly token: string;
  readonly link: Link;
}

export interface CommitContext {
  readonly store: Store;
  readonly tape: Tape;
  readonly meter: Meter;
  readonly signal: AbortSignal;
  readonly message: Omit<NewMessage, 'files'>;
  /** Told of every upload: it may outlive the transaction. */
  readonly watch: (upload: Promise<unknown>) => void;
}

/**
 * Commits the index, the files, then the links to them, in this order: no link ever points to nothing. Uploads under
 * way are finished even when the transaction is given up: the next try then finds the files.
 */
export async function commitFiles(
  parts: readonly HashedPart[],
  context: CommitContext,
): Promise<{ readonly files: readonly Committed[]; readonly records: MessageRecords }> {
  const { store, signal, message } = context;
  const records = await store.openMessage({ ...message, files: parts.map(describe) }, signal);
  const files: Committed[] = [];
  const waiting = parts.entries();
  const worker = async (): Promise<void> => {
    for (const [i, part] of waiting) {
      if (signal.aborted) throw Failure.from(signal.reason, 'clientGone');
      await upload(part, context);
      files[i] = { part, token: records.tokens[i]!, link: await records.putLink(i, signal) };
    }
  };
  const workers = Array.from({ length: Math.min(maxParallel, parts.length) }, worker);
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return { files, records };
}

function describe({ leaf, candidate, sha256, crc32 }: HashedPart): NewFile {
  const { name, type, size } = candidate;
  return { partNumber: leaf.section, name, type, size, sha256, crc32 };
}

async function upload(
  { piece, sha256, crc32, md5 }: HashedPart,
  { store, tape, meter, signal, watch }: CommitContext,
): Promise<void> {
  tape.retain();
  const content = {
    sha256,
    crc32,
    ...(md5 && { md5 }),
    size: piece.size,
    open: (from: number, to: number) => tape.lend(piece.from + from, piece.from + to),
  };
  const stored = store
    .putFile(content, AbortSignal.timeout(uploadTimeoutMs))
    .then((result) => meter.fileDetached(result, piece.size))
    .finally(() => tape.release());
  watch(stored);
  await unlessAborted(stored, signal).catch((error: unknown) => {
    throw signal.aborted ? Failure.from(signal.reason, 'clientGone') : error;
  });
}
