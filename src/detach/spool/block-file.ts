import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../smtp/failures.ts';
import type { Spool } from './spool.ts';
import type { MayReuse } from './tape.ts';

/** A full block on its way to disk. */
interface FullBlock {
  readonly block: Buffer;
  /** Bytes in it, and where the first one stands in the file. */
  readonly filled: number;
  readonly start: number;
  /** Tells when nobody else reads the block any more; undefined: nobody does. */
  readonly mayReuse: MayReuse | undefined;
}

/**
 * The spool file of one tape. Blocks are written in the background, one after the other, and go back to the spool when
 * they are on disk and nobody else reads them. After the first failure nothing more is written.
 */
export class BlockFile {
  readonly #spool: Spool;
  #handle: FileHandle | undefined;
  readonly #writes: Promise<void>[] = [];
  #lastWrite: Promise<void> = Promise.resolve();
  /** The last block that was written, while somebody may still read it. */
  #written: FullBlock | undefined;
  #failure: unknown;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /** @throws Failure what went wrong first, if anything did */
  check(): void {
    if (this.#failure !== undefined) throw Failure.from(this.#failure);
  }

  /** The oldest write, where it has to be waited for before more is written. */
  get pressure(): Promise<void> | undefined {
    return this.#spool.congested ? this.#writes[0] : undefined;
  }

  write(full: FullBlock): void {
    this.#spool.writeBegins();
    const write = this.#lastWrite
      .then(() => this.#write(full.block.subarray(0, full.filled), full.start))
      .catch((error: unknown) => this.fail(error))
      .then(() => this.#isWritten(full))
      .finally(() => void this.#writes.shift());
    this.#writes.push(write);
    this.#lastWrite = write;
  }

  /** Reads once all writes are done. @returns the part of `into` that was filled */
  async read(into: Buffer, at: number): Promise<Buffer> {
    await this.#lastWrite;
    await this.#giveWritten();
    this.check();
    const { bytesRead } = await this.#handle!.read(into, 0, into.length, at);
    if (bytesRead === 0) throw new Error('spool file is shorter than what was written');
    return into.subarray(0, bytesRead);
  }

  /** Gives the last written block back at once: nobody reads the blocks of a released tape. */
  async close(): Promise<void> {
    await this.#lastWrite;
    if (this.#written) this.#giveBack(this.#written.block);
    this.#written = undefined;
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #write(bytes: Buffer, start: number): Promise<void> {
    if (this.failed) return;
    try {
      this.#handle ??= await this.#spool.open();
      let done = 0;
      while (done < bytes.length)
        done += (await this.#handle.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'ENOSPC' || code === 'EDQUOT')
        throw new Failure('spoolFull', { reason: 'spool directory is full', cause: error });
      throw error;
    }
  }

  /**
   * Waits for the other reader only when the next block is written: it has usually finished by then. If other messages
   * wait for blocks, it waits at once.
   */
  async #isWritten(full: FullBlock): Promise<void> {
    await this.#giveWritten();
    this.#written = full;
    if (full.mayReuse === undefined || this.#spool.congested) await this.#giveWritten();
  }

  async #giveWritten(): Promise<void> {
    const written = this.#written;
    if (!written) return;
    this.#written = undefined;
    await written.mayReuse?.();
    this.#giveBack(written.block);
  }

  #giveBack(block: Buffer): void {
    this.#spool.writeEnds();
    this.#spool.giveBlock(block);
  }
}
