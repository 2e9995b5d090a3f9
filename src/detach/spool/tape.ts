/**
 * The bytes of one message, appended once and read any number of times.
 *
 * Holds one block in memory; full blocks go to a spool file. Appending never waits: the owner calls `drain` between
 * chunks, which waits while more than one block is on its way to disk. Blocks belong to the spool's pool, and so
 * nothing that is handed out is a view of one.
 */
import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../smtp/failures.ts';
import { blockSize, type Spool } from './spool.ts';

export class Tape {
  readonly #spool: Spool;
  #block: Buffer | undefined;
  /** Bytes in `#block`, and where its first one stands on the tape. */
  #filled = 0;
  #blockStart = 0;
  #file: FileHandle | undefined;
  readonly #writes: Promise<void>[] = [];
  #lastWrite: Promise<void> = Promise.resolve();
  #failure: unknown;
  #holders = 1;
  /** Bytes of the spool that are ours. */
  #reserved = 0;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  get length(): number {
    return this.#blockStart + this.#filled;
  }

  append(bytes: Buffer): void {
    let from = 0;
    while (from < bytes.length) {
      const room = this.room(1);
      const count = Math.min(room.length, bytes.length - from);
      bytes.copy(room, 0, from, from + count);
      this.commit(count);
      from += count;
    }
  }

  /** Space for at least `bytes` (at most a block) to be written in place; `commit` says how many were. */
  room(bytes: number): Buffer {
    if (this.#block && blockSize - this.#filled < bytes) this.#flush(this.#block);
    this.#block ??= this.#spool.takeBlock();
    return this.#block.subarray(this.#filled);
  }

  commit(bytes: number): void {
    this.#filled += bytes;
  }

  /** @throws Failure spoolFull */
  async drain(): Promise<void> {
    while (this.#writes.length > 1) await this.#writes[0];
    if (this.#failure !== undefined) throw Failure.from(this.#failure);
  }

  async *read(from: number, to: number): AsyncGenerator<Buffer, void, undefined> {
    let at = from;
    while (at < to) {
      if (at >= this.#blockStart) {
        const start = at - this.#blockStart;
        const bytes = Buffer.from(this.#block?.subarray(start, Math.min(this.#filled, to - this.#blockStart)) ?? []);
        if (bytes.length === 0) throw new Error(`tape ends at ${this.length}, ${to} was asked for`);
        at += bytes.length;
        yield bytes;
      } else {
        await this.#lastWrite;
        if (this.#failure !== undefined) throw Failure.from(this.#failure);
        const bytes = Buffer.allocUnsafe(Math.min(blockSize, to - at, this.#blockStart - at));
        const { bytesRead } = await this.#file!.read(bytes, 0, bytes.length, at);
        if (bytesRead === 0) throw new Error('spool file is shorter than what was written');
        at += bytesRead;
        yield bytes.subarray(0, bytesRead);
      }
    }
  }

  /** Keeps the tape until one more `release`. */
  retain(): void {
    this.#holders += 1;
  }

  async release(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    await this.#lastWrite;
    if (this.#block) this.#spool.giveBlock(this.#block);
    this.#block = undefined;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    this.#spool.free(this.#reserved);
    this.#reserved = 0;
  }

  #flush(block: Buffer): void {
    const start = this.#blockStart;
    const filled = this.#filled;
    this.#blockStart += filled;
    this.#filled = 0;
    this.#block = undefined;
    const write = this.#lastWrite
      .then(() => this.#write(block.subarray(0, filled), start))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#spool.giveBlock(block);
        void this.#writes.shift();
      });
    this.#writes.push(write);
    this.#lastWrite = write;
  }

  async #write(bytes: Buffer, start: number): Promise<void> {
    if (this.#failure !== undefined) return;
    this.#spool.reserve(bytes.length);
    this.#reserved += bytes.length;
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
