/**
 * One message on its way through: header in memory, body read once.
 *
 * A small message is kept as the chunks it came in. A larger one goes onto a tape as it came, until it is long enough to
 * contain a file worth detaching; from then on it is scanned onto another one. The client is read no faster than the
 * tape reaches the disk.
 */
import { createHash } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { linkUrl, type Notice } from '../links/interface.ts';
import type { HeaderBlock } from '../message/header-block.ts';
import type { Log, Meter } from '../observe/interface.ts';
import { Failure } from '../smtp/failures.ts';
import { fingerprintOf, type Store } from '../storage/interface.ts';
import { Checksum } from './checksum.ts';
import { ChunkList } from './chunk-list.ts';
import { MessageReader, type FilePart } from './message-reader.ts';
import { commitFiles, type Committed, type HashedPart } from './commit-files.ts';
import { distinctNames } from './distinct-names.ts';
import { applyEdits, describeBody, describeEdits, lengthOf } from './edits.ts';
import type { DetachedFile, Envelope, Incoming, Outgoing } from './interface.ts';
import { writeManifest } from './manifest.ts';
import { longFieldIn, readPartHead } from './mime/part-head.ts';
import { MimeScanner } from './mime/scanner.ts';
import { memoryOutgoing, tapeOutgoing } from './outgoing.ts';
import { isExempt, judge, optsOut, smallestSize } from './policy.ts';
import type { Received } from './receive-header.ts';
import { replaceParts } from './replacement.ts';
import { blockSize, type Spool } from './spool/spool.ts';
import { Tape } from './spool/tape.ts';
import { takeChunk } from '../runtime/take-chunk.ts';
import { takeTurns } from '../runtime/take-turns.ts';

export interface DetachContext {
  readonly config: Pick<Config, 'detach' | 'links'>;
  readonly store: Store;
  readonly notice: Notice;
  readonly log: Log;
  readonly meter: Meter;
  readonly spool: Spool;
  /** Told of every upload: it may outlive its message. */
  readonly watch: (upload: Promise<unknown>) => void;
}

export const manifestField = 'X-Detach-Message';

/** The field with the id of 128 bits that storage gives a manifest. */
const fieldBytes = `${manifestField}: ${'x'.repeat(22)}\r\n`.length;

/** Up to here a message is kept in chunks: more of them than one read of the socket gives grow old, and are collected late. */
const maxChunkBytes = 64 * 1024;

/** A message up to this size is not scanned, whatever it holds. */
const maxUnscannedBytes = 1024 * 1024;

/** The line that ends the header comes first of what follows it, and whole. */
const emptyLineBytes = 2;

const noBytes = Buffer.alloc(0);

/** A larger chunk is scanned in steps, so that others get their turn: the worst message takes 0.5 ms for each KiB. */
const maxStepBytes = 32 * 1024;

export class IncomingMessage implements Incoming {
  readonly header: HeaderBlock;
  /** What came along with the header and was not read yet. */
  #rest: Buffer;
  readonly #source: AsyncIterator<Buffer>;
  readonly #signal: AbortSignal;
  readonly #context: DetachContext;

  constructor(
    { header, rest }: Received,
    source: AsyncIterator<Buffer>,
    options: { readonly context: DetachContext; readonly signal: AbortSignal },
  ) {
    this.header = header;
    this.#rest = rest;
    this.#source = source;
    this.#signal = options.signal;
    this.#context = options.context;
  }

  async discard(): Promise<void> {
    while ((await this.#next()).done !== true);
  }

  async detach(envelope: Envelope): Promise<Outgoing> {
    const rules = this.#context.config.detach;
    const isWhole = isExempt(envelope, rules) || optsOut(this.header, envelope.reversePath, rules);
    const scanned = !isWhole && this.header.wellFormed;
    const tooLong = scanned ? longFieldIn(this.header) : undefined;
    const limit = scanned && tooLong === undefined ? Math.min(smallestSize(rules), maxUnscannedBytes) : Infinity;
    const { chunks, ended } = await this.#first(Math.min(limit, maxChunkBytes));
    // Most messages end here, without a look at what they hold.
    if (ended) return memoryOutgoing(this.header.raw, chunks);
    if (tooLong !== undefined) this.#context.log.info('passed-whole', { reason: tooLong });
    const start = new Tape(this.#context.spool, envelope.client);
    const isAll = await releasedOnError(start, () => this.#keep(chunks, start, limit));
    if (isAll) return this.#asItCame(start);
    const tape = new Tape(this.#context.spool, envelope.client);
    return releasedOnError(tape, async () => {
      const collector = new MessageReader(tape, rules);
      const checksum = new Checksum();
      await this.#scan(start, { tape, collector, checksum });
      return this.#replace(collector, envelope, { tape, checksum });
    });
  }

  /** As it came, until there are so many bytes. */
  async #first(limit: number): Promise<{ readonly chunks: Buffer[]; readonly ended: boolean }> {
    const list = new ChunkList();
    while (list.length < limit) {
      const chunk = takeChunk(await this.#next());
      if (!chunk) return { chunks: list.take(), ended: true };
      list.push(chunk);
    }
    return { chunks: list.take(), ended: false };
  }

  /** Puts these chunks and what comes after them onto a tape, until there are so many bytes. @returns whether that is all */
  async #keep(chunks: Buffer[], tape: Tape, limit: number): Promise<boolean> {
    for (const chunk of chunks.splice(0)) tape.append(chunk);
    while (tape.length < limit) {
      if (!(await this.#append(tape))) return true;
      await tape.drain();
    }
    return false;
  }

  /** A chunk is let go of before the disk is waited for: it would grow old in memory. */
  async #append(tape: Tape): Promise<boolean> {
    const chunk = takeChunk(await this.#next());
    if (chunk) tape.append(chunk);
    return chunk !== undefined;
  }

  #asItCame(tape: Tape): Outgoing {
    const views = tape.views();
    if (views) return memoryOutgoing(this.header.raw, views, tape);
    const length = tape.length - emptyLineBytes;
    const pieces = [{ kind: 'tape', at: 0, length, from: emptyLineBytes }] as const;
    const bytesIn = this.header.raw.length + tape.length;
    return tapeOutgoing({ header: this.header.raw, pieces, tape }, { bytesIn, files: [] });
  }

  #next(): Promise<IteratorResult<Buffer>> {
    const rest = this.#rest;
    if (rest.length === 0) return this.#source.next();
    this.#rest = noBytes;
    return Promise.resolve({ value: rest, done: false });
  }

  /** Reads the message to its end, its start again. The checksum is that of what comes after the empty line. */
  async #scan(
    start: Tape,
    {
      tape,
      collector,
      checksum,
    }: { readonly tape: Tape; readonly collector: MessageReader; readonly checksum: Checksum },
  ): Promise<void> {
    const scanner = new MimeScanner(readPartHead(this.header), collector, {
      maxDepth: this.#context.config.detach.maxDepth,
    });
    const scan = async (bytes: Buffer): Promise<void> => {
      checksum.update(bytes);
      for (let at = 0; at < bytes.length;) {
        const end = Math.min(at + maxStepBytes, bytes.length);
        scanner.push(bytes.subarray(at, end));
        at = end;
        if (at % blockSize < maxStepBytes && at < bytes.length) await tape.drain();
        await takeTurns();
      }
    };
    try {
      for await (const block of start.lend(emptyLineBytes, start.length)) {
        await scan(block);
        await tape.drain();
      }
    } finally {
      await start.release();
    }
    /** As in `#append`. */
    const scanNext = async (): Promise<boolean> => {
      const chunk = takeChunk(await this.#next());
      if (chunk) await scan(chunk);
      return chunk !== undefined;
    };
    while (await scanNext()) await tape.drain();
    scanner.end();
  }

  async #replace(
    collector: MessageReader,
    envelope: Envelope,
    { tape, checksum }: { readonly tape: Tape; readonly checksum: Checksum },
  ): Promise<Outgoing> {
    const { config, meter, log } = this.#context;
    const bytesIn = this.header.raw.length + emptyLineBytes + collector.length;
    const whole = (): Outgoing =>
      tapeOutgoing({ header: this.header.raw, pieces: collector.pieces, tape }, { bytesIn, files: [] });
    if (collector.limit !== undefined) {
      log.info('passed-whole', { reason: collector.limit });
      return whole();
    }
    const found = this.#choose(collector);
    if (found.length === 0) return whole();
    const chosen = await Promise.all(found.map(async (part) => ({ ...part, ...(await part.digest) })));
    try {
      const { files, records } = await this.#commit(chosen, envelope, tape);
      const items = files.map(({ part, token, link }) => ({
        part,
        item: {
          name: link.name,
          type: link.type,
          size: link.size,
          url: linkUrl(config.links.baseUrl, token),
          expires: link.expires === null ? undefined : new Date(link.expires),
        },
      }));
      const { header, edits } = await replaceParts(items, {
        header: this.header,
        collector,
        tape,
        notice: this.#context.notice,
        position: config.links.position,
      });
      const pieces = applyEdits(collector, edits);
      const added = header.length - this.header.raw.length + fieldBytes;
      if (lengthOf(pieces) + added >= collector.length) return whole();
      const hashes = new Map(chosen.map(({ piece, sha256 }) => [piece, sha256]));
      const manifest = writeManifest({
        v: 1,
        original: {
          header: this.header.raw.toString('latin1'),
          size: collector.length,
          gmac: checksum.digest(),
        },
        delivered: await describeBody(pieces, tape),
        edits: await describeEdits(edits, collector, { tape, hashes }),
      });
      const id = await records.finish(manifest, this.#signal);
      const field = Buffer.from(`${manifestField}: ${id}\r\n`);
      return tapeOutgoing(
        { header: Buffer.concat([field, header]), pieces, tape },
        { bytesIn, files: files.map(describeFile) },
      );
    } catch (error) {
      if (this.#signal.aborted) throw new Failure('clientGone', { cause: error });
      const failure = Failure.from(error);
      const notStored = failure.kind === 'storageFailed' || failure.kind === 'storageFull';
      if (!notStored || config.detach.onStorageFailure !== 'pass') throw failure;
      meter.storageFailure();
      log.warn('passed-whole', { reason: failure.message, files: chosen.length });
      return whole();
    }
  }

  #choose(collector: MessageReader): FilePart[] {
    const reasons = judge(collector.candidates(), this.#context.config.detach);
    const left = new Map(collector.left);
    for (const reason of reasons) if (reason !== undefined) left.set(reason, (left.get(reason) ?? 0) + 1);
    if (left.size > 0) this.#context.log.debug('left-alone', { parts: Object.fromEntries(left) });
    const chosen = collector.files.filter((_, i) => reasons[i] === undefined);
    const names = distinctNames(chosen.map(({ candidate }) => candidate));
    return chosen.map((part, i) => ({ ...part, candidate: names[i]! }));
  }

  #commit(chosen: readonly HashedPart[], envelope: Envelope, tape: Tape): ReturnType<typeof commitFiles> {
    const { store, meter, watch } = this.#context;
    return commitFiles(chosen, {
      store,
      tape,
      meter,
      watch,
      signal: this.#signal,
      message: {
        messageIdentity: identityOf(this.header),
        ...envelope,
        from: this.header.first('from'),
        subject: this.header.first('subject'),
      },
    });
  }
}

async function releasedOnError<T>(tape: Tape, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await tape.release();
    throw error;
  }
}

/** RFC 5322 section 2.1.1 gives a line 998 characters. Whatever is longer would stand whole in every link. */
const maxIdentityLength = 998;

/** The same for every try of the same message. */
function identityOf(header: HeaderBlock): string {
  const id = header.first('message-id') ?? '';
  if (id !== '' && id.length <= maxIdentityLength) return id;
  return `sha256:${createHash('sha256')
    .update(id === '' ? header.raw : Buffer.from(id, 'latin1'))
    .digest('hex')}`;
}

const describeFile = ({ part, token, link }: Committed): DetachedFile => ({
  name: link.name,
  type: link.type,
  size: link.size,
  sha256: part.sha256,
  tokenFingerprint: fingerprintOf(token),
});
