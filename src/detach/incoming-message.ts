/**
 * One message on its way through: header in memory, body read once.
 *
 * A small message is kept as the chunks it came in. A larger one goes onto a tape as it came, until it is long enough to
 * contain a file worth detaching; from then on it is scanned onto another one. The client is read no faster than the
 * tape reaches the disk.
 */
import type { MessageRoom } from '../limits/message-room.ts';
import type { HeaderBlock } from '../message/header-block.ts';
import { Checksum } from './checksum.ts';
import { ChunkList } from './chunk-list.ts';
import { detachFiles, type DetachContext } from './detach-files.ts';
import type { Envelope, Incoming, Outgoing } from './interface.ts';
import { MessageReader } from './message-reader.ts';
import { excessIn, readPartHead } from './mime/part-head.ts';
import { MimeScanner } from './mime/scanner.ts';
import { memoryOutgoing, tapeOutgoing } from './outgoing.ts';
import { isExempt, optsOut, smallestSize } from './policy.ts';
import type { ReadMessage } from './read-message.ts';
import type { Received } from './receive-header.ts';
import { blockSize, type Spool } from './spool/spool.ts';
import { Tape } from './spool/tape.ts';
import { takeChunk } from '../runtime/take-chunk.ts';
import { takeTurns } from '../runtime/take-turns.ts';

export interface IncomingContext extends DetachContext {
  readonly spool: Spool;
}

interface Keeping {
  readonly tape: Tape;
  /** Bytes. */
  readonly limit: number;
}

/**
 * A message up to this size is kept as chunks. More chunks than one read of the socket are promoted to V8's old
 * generation and freed late.
 */
const maxChunkBytes = 64 * 1024;

/** A message up to this size is never scanned. */
const maxUnscannedBytes = 1024 * 1024;

/** The empty line after the header: it is at the start of the rest and never cut. */
const emptyLineBytes = 2;

const noBytes = Buffer.alloc(0);

/**
 * A larger chunk is scanned in steps, so that other messages get their turn: the worst message takes 1 ms for each KiB.
 * Not so a chunk without a dash, in which no part ends: steps of base64 cut lines, which costs 6 ms for 25 MiB.
 */
const maxStepBytes = 16 * 1024;
const dash = 0x2d;

export class IncomingMessage implements Incoming {
  readonly header: HeaderBlock;
  /** What came along with the header and was not read yet. */
  #rest: Buffer;
  readonly #source: AsyncIterator<Buffer>;
  readonly #signal: AbortSignal;
  readonly #context: IncomingContext;
  readonly #room: MessageRoom;

  constructor(
    { header, rest }: Received,
    source: AsyncIterator<Buffer>,
    options: { readonly context: IncomingContext; readonly signal: AbortSignal; readonly room: MessageRoom },
  ) {
    this.header = header;
    this.#rest = rest;
    this.#source = source;
    this.#signal = options.signal;
    this.#context = options.context;
    this.#room = options.room;
  }

  release(): void {
    this.#room.release();
  }

  async discard(): Promise<void> {
    while ((await this.#next()).done !== true);
  }

  async detach(envelope: Envelope): Promise<Outgoing> {
    const rules = this.#context.config.detach;
    const isWhole = isExempt(envelope, rules) || optsOut(this.header, envelope.reversePath, rules);
    const scanned = !isWhole && this.header.wellFormed;
    const excess = scanned ? excessIn(this.header) : undefined;
    const limit = scanned && excess === undefined ? Math.min(smallestSize(rules), maxUnscannedBytes) : Infinity;
    const { chunks, ended } = await this.#first(Math.min(limit, maxChunkBytes));
    // Most messages end here and are never scanned.
    if (ended) return memoryOutgoing(this.header.raw, chunks);
    if (excess !== undefined) this.#context.log.info('passed-whole', { reason: excess });
    const start = new Tape(this.#context.spool, envelope.client);
    const isAll = await releasedOnError(start, () => this.#keep(chunks, { tape: start, limit }));
    if (isAll) return this.#asItCame(start);
    const tape = new Tape(this.#context.spool, envelope.client);
    return releasedOnError(tape, async () => {
      const checksum = new Checksum();
      const message = await this.#read(start, { tape, checksum });
      return detachFiles(message, {
        context: this.#context,
        envelope,
        checksum: checksum.digest(),
        signal: this.#signal,
      });
    });
  }

  /** Reads chunks as they come, until there are `limit` bytes. */
  async #first(limit: number): Promise<{ readonly chunks: Buffer[]; readonly ended: boolean }> {
    const list = new ChunkList();
    while (list.length < limit) {
      const chunk = takeChunk(await this.#next());
      if (!chunk) return { chunks: list.take(), ended: true };
      list.push(chunk);
    }
    return { chunks: list.take(), ended: false };
  }

  /**
   * Puts these chunks and what comes after them onto a tape, until there are `limit` bytes. @returns whether the
   * message ended
   */
  async #keep(chunks: Buffer[], { tape, limit }: Keeping): Promise<boolean> {
    for (const chunk of chunks.splice(0)) tape.append(chunk);
    while (tape.length < limit) {
      if (!(await this.#append(tape))) return true;
      await tape.drain();
    }
    return false;
  }

  /**
   * Drops its reference to the chunk before it waits for the disk: otherwise the chunk is promoted to V8's old
   * generation.
   */
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

  /**
   * Reads the message to its end, beginning with the start that was already kept. The checksum covers what comes after
   * the empty line.
   */
  async #read(
    start: Tape,
    { tape, checksum }: { readonly tape: Tape; readonly checksum: Checksum },
  ): Promise<ReadMessage> {
    const { config, store } = this.#context;
    const rules = config.detach;
    const reader = new MessageReader(tape, rules, { md5: store.wantsMd5 });
    const scanner = new MimeScanner(readPartHead(this.header), reader, { maxDepth: rules.maxDepth });
    const scan = async (bytes: Buffer): Promise<void> => {
      checksum.update(bytes);
      const step = bytes.includes(dash) ? maxStepBytes : maxChunkBytes;
      for (let at = 0; at < bytes.length;) {
        const end = Math.min(at + step, bytes.length);
        scanner.push(bytes.subarray(at, end));
        at = end;
        if (at % blockSize < step && at < bytes.length) await tape.drain();
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
    return reader.finish(this.header);
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
