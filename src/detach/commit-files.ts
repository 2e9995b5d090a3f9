import type { Meter } from '../observe/interface.ts';
import { Failure } from '../smtp/failures.ts';
import type { Link, LinkIdentity, Store } from '../storage/interface.ts';
import type { FilePart } from './message-reader.ts';
import type { Tape } from './spool/tape.ts';

/** Files of one message that are stored at the same time. */
const maxParallel = 3;

/** An upload goes on without its transaction, but not for ever: the sending Postfix gives up after less. */
const uploadTimeoutMs = 15 * 60_000;

/** A file whose name in storage is known. */
export interface HashedPart extends FilePart {
  /** In hex. */
  readonly sha256: string;
}

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
  readonly messageIdentity: string;
  readonly reversePath: string;
  /** Told of every upload: it may outlive the transaction. */
  readonly watch: (upload: Promise<unknown>) => void;
}

/**
 * Commits the files, then the links to them, in this order: no link ever points to nothing.
 * When the transaction is given up, uploads under way are finished all the same, so that its next try finds them.
 */
export async function commitFiles(parts: readonly HashedPart[], context: CommitContext): Promise<Committed[]> {
  const committed: Committed[] = [];
  const waiting = parts.entries();
  const worker = async (): Promise<void> => {
    for (const [i, part] of waiting) committed[i] = await commitFile(part, context);
  };
  const workers = Array.from({ length: Math.min(maxParallel, parts.length) }, worker);
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return committed;
}

async function commitFile(part: HashedPart, context: CommitContext): Promise<Committed> {
  const { store, signal, messageIdentity, reversePath } = context;
  if (signal.aborted) throw Failure.from(signal.reason, 'clientGone');
  await upload(part, context);
  const { name, type, size } = part.candidate;
  const identity: LinkIdentity = {
    messageIdentity,
    reversePath,
    partNumber: part.leaf.section,
    name,
    type,
    sha256: part.sha256,
  };
  const { token, link } = await store.putLink(identity, size, signal);
  return { part, token, link };
}

async function upload(
  { piece, sha256 }: HashedPart,
  { store, tape, meter, signal, watch }: CommitContext,
): Promise<void> {
  tape.retain();
  const content = {
    sha256,
    size: piece.size,
    open: (from: number, to: number) => tape.lend(piece.from + from, piece.from + to),
  };
  const stored = store
    .putFile(content, AbortSignal.timeout(uploadTimeoutMs))
    .then((result) => meter.fileDetached(result, piece.size))
    .finally(() => tape.release());
  watch(stored);
  await unlessAborted(stored, signal);
}

/** Waits no longer than until the signal is aborted. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(Failure.from(signal.reason, 'clientGone'));
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
