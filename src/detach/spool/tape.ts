/**
 * The bytes of one message, appended once and read any number of times.
 *
 * Holds one block in memory, and those at its beginning for which the spool has room; other full blocks go to a spool
 * file. Appending never waits: the owner calls `drain` between chunks, which waits for the disk when the spool has too
 * many blocks on their way there. Blocks belong to the spool's pool: what `lend` hands out is good until the next one
 * is asked for.
 *
 * A file can be hashed while it is appended, block by block, in a thread of its own. That thread reads the very blocks,
 * so none is used again before it has caught up; but of a tape that was released nobody asks for a hash any more.
 */
import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../smtp/failures.ts';
import { type CaughtUp, type FileDigest, type FileHash, hashThread } from '../../runtime/hashing/hash-thread.ts';
import { countGarbage } from '../../runtime/minor-collection.ts';
import { takeTurns } from '../../runtime/take-turns.ts';
import { blockSize, type Spool } from './spool.ts';

/** In bytes, for the promises and events of sending a block to storage: one collection for every 32 MiB that are sent. */
const garbagePerBlock = 16 * 1024;

/** A block that stays in memory: the whole of it, and the bytes in it. */
interface Resident {
  readonly block: Buffer;
  readonly bytes: Buffer;
  readonly start: number;
}

/** A block that is on disk: it may be used again as soon as it was hashed too. */
interface Written {
  readonly block: Buffer;
  readonly caughtUp: CaughtUp | undefined;
}

/** The file that is being hashed while it is appended. */
interface Hashing {
  readonly hash: FileHash;
  /** Its first byte in the block at hand that has not been sent to the thread. */
  from: number;
}

export class Tape {
  readonly #spool: Spool;
  /** Whose share of the spool it takes. */
  readonly #client: string | undefined;
  #block: Buffer | undefined;
  /** Bytes in `#block`, and where its first one stands on the tape. */
  #filled = 0;
  #blockStart = 0;
  /** The beginning of the tape. What comes after it is in the file. */
  readonly #residents: Resident[] = [];
  #residentEnd = 0;
  #file: FileHandle | undefined;
  readonly #writes: Promise<void>[] = [];
  #lastWrite: Promise<void> = Promise.resolve();
  /** The last one that was written, while the thread may still read it. */
  #written: Written | undefined;
  #failure: unknown;
  #holders = 1;
  #hashing: Hashing | undefined;
  /** The last file of which the thread reads something in the block at hand. */
  #hashed: FileHash | undefined;
  /** Bytes of the spool that are ours. */
  #reserved = 0;
  /** Settles when other processes have answered whether there is room. */
  #reserving: Promise<void> | undefined;

  constructor(spool: Spool, client?: string) {
    this.#spool = spool;
    this.#client = client;
  }

  get length(): number {
    return this.#blockStart + this.#filled;
  }

  append(bytes: Buffer): void {
    let from = 0;
    while (from < bytes.length) {
      const block = this.#blockWithRoom(1);
      const count = bytes.copy(block, this.#filled, from);
      this.#filled += count;
      from += count;
    }
  }

  /** Space for at least `bytes` (at most a block) to be written in place; `commit` says how many were. */
  room(bytes: number): Buffer {
    return this.#blockWithRoom(bytes).subarray(this.#filled);
  }

  commit(bytes: number): void {
    this.#filled += bytes;
  }

  /** From here on what is appended is one file, and hashed. */
  beginFile(): void {
    this.abandonFile();
    this.#hashing = { hash: hashThread().open(), from: this.#filled };
  }

  /** @returns the SHA-256 of what was appended since `beginFile`, in hex */
  endFile(): Promise<FileDigest> {
    const hashing = this.#hashing;
    if (!hashing) return Promise.reject(new Error('no file was begun'));
    if (this.#block) this.#hash(hashing, this.#block);
    this.#hashing = undefined;
    return hashing.hash.digest();
  }

  /** Nobody wants to know its hash. */
  abandonFile(): void {
    this.#hashing?.hash.forget();
    this.#hashing = undefined;
  }

  /**
   * What there is to wait for before more is appended.
   * @throws Failure spoolFull
   */
  drain(): Promise<void> | undefined {
    return this.#mustWait() || this.#failure !== undefined ? this.#drain() : undefined;
  }

  /** All bytes, where none of them went to the file: good until the tape is released, or appended to. */
  views(): readonly Buffer[] | undefined {
    if (this.#failure !== undefined || this.#residentEnd < this.#blockStart) return undefined;
    const views = this.#residents.map(({ bytes }) => bytes);
    if (this.#block) views.push(this.#block.subarray(0, this.#filled));
    return views;
  }

  /** The bytes as buffers that belong to the caller. */
  async *read(from: number, to: number): AsyncGenerator<Buffer, void, undefined> {
    for (let at = from; at < to;) {
      const bytes = this.#inMemory(at, to);
      const block = bytes ? Buffer.from(bytes) : await this.#readFile(Buffer.allocUnsafe(this.#inFile(at, to)), at);
      at += block.length;
      yield block;
      await takeTurns();
    }
  }

  /** The bytes in buffers that are the caller's until the next is asked for. Nothing must be appended meanwhile. */
  async *lend(from: number, to: number): AsyncGenerator<Buffer, void, undefined> {
    let block: Buffer | undefined;
    try {
      for (let at = from; at < to;) {
        let bytes = this.#inMemory(at, to);
        if (!bytes) {
          block ??= this.#spool.takeBlock();
          bytes = await this.#readFile(block.subarray(0, this.#inFile(at, to)), at);
        }
        at += bytes.length;
        yield bytes;
        countGarbage(garbagePerBlock);
        await takeTurns();
      }
    } finally {
      if (block) this.#spool.giveBlock(block);
    }
  }

  /** Keeps the tape until one more `release`. */
  retain(): void {
    this.#holders += 1;
  }

  async release(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.abandonFile();
    await this.#lastWrite;
    if (this.#written) this.#giveBack(this.#written.block);
    this.#written = undefined;
    if (this.#block) this.#spool.giveBlock(this.#block);
    this.#block = undefined;
    for (const { block } of this.#residents.splice(0)) this.#spool.giveResident(block);
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    await this.#reserving;
    this.#spool.free(this.#reserved, this.#client);
    this.#reserved = 0;
  }

  #blockWithRoom(bytes: number): Buffer {
    if (this.#block && blockSize - this.#filled < bytes) this.#flush(this.#block);
    return (this.#block ??= this.#spool.takeBlock());
  }

  #mustWait(): boolean {
    return this.#reserving !== undefined || (this.#writes.length > 0 && this.#spool.congested);
  }

  async #drain(): Promise<void> {
    while (this.#mustWait()) await (this.#reserving ?? this.#writes[0]);
    if (this.#failure !== undefined) throw Failure.from(this.#failure);
  }

  /** A view of what stands at this place, as far as one block holds it. */
  #inMemory(at: number, to: number): Buffer | undefined {
    if (this.#failure !== undefined) throw Failure.from(this.#failure);
    if (at >= this.#blockStart) {
      const end = Math.min(to, this.length);
      if (at >= end) throw new Error(`tape ends at ${this.length}, ${to} was asked for`);
      return this.#block?.subarray(at - this.#blockStart, end - this.#blockStart);
    }
    if (at >= this.#residentEnd) return undefined;
    const resident = this.#residents.find(({ start, bytes }) => at < start + bytes.length);
    return resident?.bytes.subarray(at - resident.start, to - resident.start);
  }

  /** How many bytes of the file are read there in one go. */
  #inFile(at: number, to: number): number {
    return Math.min(blockSize, to - at, this.#blockStart - at);
  }

  async #readFile(into: Buffer, at: number): Promise<Buffer> {
    await this.#lastWrite;
    await this.#giveWritten();
    if (this.#failure !== undefined) throw Failure.from(this.#failure);
    const { bytesRead } = await this.#file!.read(into, 0, into.length, at);
    if (bytesRead === 0) throw new Error('spool file is shorter than what was written');
    return into.subarray(0, bytesRead);
  }

  #hash(hashing: Hashing, block: Buffer): void {
    if (this.#filled > hashing.from) {
      hashing.hash.update(block.subarray(hashing.from, this.#filled));
      this.#hashed = hashing.hash;
    }
    hashing.from = 0;
  }

  #flush(block: Buffer): void {
    if (this.#hashing) this.#hash(this.#hashing, block);
    const hashed = this.#hashed;
    this.#hashed = undefined;
    const start = this.#blockStart;
    const filled = this.#filled;
    this.#blockStart += filled;
    this.#filled = 0;
    this.#block = undefined;
    this.#reserve(filled);
    if (this.#residentEnd === start && this.#keep(block, { start, filled })) return;
    const caughtUp = hashed?.flush();
    this.#spool.writeBegins();
    const write = this.#lastWrite
      .then(() => this.#write(block.subarray(0, filled), start))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .then(() => this.#isWritten({ block, caughtUp }))
      .finally(() => void this.#writes.shift());
    this.#writes.push(write);
    this.#lastWrite = write;
  }

  /**
   * Until the next block is written the thread has caught up, as a rule, and nobody needs to be woken to wait for it.
   * Where others wait for blocks, this one is waited for at once.
   */
  async #isWritten(written: Written): Promise<void> {
    await this.#giveWritten();
    this.#written = written;
    if (written.caughtUp === undefined || this.#spool.congested) await this.#giveWritten();
  }

  async #giveWritten(): Promise<void> {
    const written = this.#written;
    if (!written) return;
    this.#written = undefined;
    await written.caughtUp?.();
    this.#giveBack(written.block);
  }

  #giveBack(block: Buffer): void {
    this.#spool.writeEnds();
    this.#spool.giveBlock(block);
  }

  #keep(block: Buffer, { start, filled }: { readonly start: number; readonly filled: number }): boolean {
    if (this.#failure !== undefined || !this.#spool.claimResident()) return false;
    this.#residents.push({ block, bytes: block.subarray(0, filled), start });
    this.#residentEnd += filled;
    return true;
  }

  /** Memory counts like disk: how large a message may be does not depend on what else is under way. */
  #reserve(bytes: number): void {
    const failure = this.#spool.reserve(bytes, this.#client);
    if (!(failure instanceof Promise)) {
      this.#isReserved(bytes, failure);
      return;
    }
    const before = this.#reserving;
    const reserving = failure
      .then((late) => this.#isReserved(bytes, late))
      .then(() => before)
      .then(() => {
        if (this.#reserving === reserving) this.#reserving = undefined;
      });
    this.#reserving = reserving;
  }

  #isReserved(bytes: number, failure: Failure | undefined): void {
    if (failure) this.#failure ??= failure;
    else this.#reserved += bytes;
  }

  async #write(bytes: Buffer, start: number): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      this.#file ??= await this.#spool.open();
      let done = 0;
      while (done < bytes.length)
        done += (await this.#file.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'ENOSPC' || code === 'EDQUOT')
        throw new Failure('spoolFull', { reason: 'spool directory is full', cause: error });
      throw error;
    }
  }
}
