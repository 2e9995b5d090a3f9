import { open, rm, type FileHandle } from 'node:fs/promises';
import type { Meter } from '../../observe/interface.ts';
import { Failure } from '../../smtp/failures.ts';
import { newSpoolPath, prepareFolder } from './spool-folder.ts';
import { CountedSpace, type SpoolSpace } from './spool-space.ts';

export interface SpoolOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly meter: Pick<Meter, 'spool'>;
  /** Where `maxBytes` is counted; in this process alone when not given. */
  readonly space?: SpoolSpace;
}

/**
 * Bytes that are written and read at once. This class and `Tape.drain` bound how many blocks a tape holds in memory.
 *
 * Five times the decoded size of 64 KiB of base64. Such a step is never divided between blocks, so blocks of 256 KiB
 * would leave their last 16 KiB empty.
 */
export const blockSize = 240 * 1024;

/** Blocks that hold the beginnings of messages, over all messages: 26 MiB. A file of 25 MiB never sees the disk. */
export const maxResidentBlocks = 110;

/** Blocks on their way to disk, over all messages, before writers wait: about 1 MiB. */
const maxWritingBlocks = 4;

/** Bytes of headers that are not small, over all messages: four of the longest. Beyond it a message is deferred. */
export const maxHeaderMemoryBytes = 8 * 1024 * 1024;

/**
 * The spool directory of this process and how much of it is used, over all messages.
 *
 * A spool file is unlinked as soon as it is open: whatever ends the process, its space is free again.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #space: SpoolSpace;
  readonly #idleBlocks: Buffer[] = [];
  #used = 0;
  #residents = 0;
  #headerBytes = 0;
  /** Blocks on their way to disk. */
  #writing = 0;
  #prepared: Promise<void> | undefined;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#space = options.space ?? new CountedSpace(options.maxBytes);
  }

  /** True: tapes with blocks on their way to disk must wait for them. */
  get congested(): boolean {
    return this.#writing > maxWritingBlocks;
  }

  writeBegins(): void {
    this.#writing += 1;
  }

  writeEnds(): void {
    this.#writing -= 1;
  }

  get used(): number {
    return this.#used;
  }

  /**
   * Takes room, of the share of the client whose message it is for, if it is a client's.
   * @returns Failure spoolFull, or undefined: it is taken. A promise where other processes are asked
   */
  reserve(bytes: number, client?: string): Failure | undefined | Promise<Failure | undefined> {
    const refusal = this.#space.take(bytes, client);
    if (refusal instanceof Promise) return refusal.then((reason) => this.#reserved(bytes, reason));
    return this.#reserved(bytes, refusal);
  }

  free(bytes: number, client?: string): void {
    this.#used -= bytes;
    this.#space.give(bytes, client);
    this.#options.meter.spool(this.#used);
  }

  #reserved(bytes: number, refusal: string | undefined): Failure | undefined {
    if (refusal !== undefined) return new Failure('spoolFull', { reason: refusal });
    this.#used += bytes;
    this.#options.meter.spool(this.#used);
    return undefined;
  }

  /** A block in shared memory, so that the hashing thread can read it. */
  takeBlock(): Buffer {
    return this.#idleBlocks.pop() ?? Buffer.from(new SharedArrayBuffer(blockSize));
  }

  /**
   * The caller must hold no view of the block any more: the next message writes into it. Blocks are never freed,
   * because V8 does not count shared memory and would let dropped blocks pile up.
   */
  giveBlock(block: Buffer): void {
    this.#idleBlocks.push(block);
  }

  /** Whether the caller may keep a full block instead of writing it to disk. */
  claimResident(): boolean {
    if (this.#residents === maxResidentBlocks) return false;
    this.#residents += 1;
    return true;
  }

  giveResident(block: Buffer): void {
    this.#residents -= 1;
    this.giveBlock(block);
  }

  /** Whether so many more bytes of a header may stay in memory. */
  claimHeader(bytes: number): boolean {
    if (this.#headerBytes + bytes > maxHeaderMemoryBytes) return false;
    this.#headerBytes += bytes;
    return true;
  }

  giveHeader(bytes: number): void {
    this.#headerBytes -= bytes;
  }

  /** A new file without a name. */
  async open(): Promise<FileHandle> {
    this.#prepared ??= prepareFolder(this.#options.directory);
    try {
      await this.#prepared;
    } catch (error) {
      this.#prepared = undefined;
      throw error;
    }
    const path = newSpoolPath(this.#options.directory);
    const file = await open(path, 'wx+', 0o600);
    try {
      await rm(path, { force: true });
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws when a file cannot be written */
  async tryOut(): Promise<void> {
    const file = await this.open();
    try {
      await file.write(Buffer.alloc(1));
    } finally {
      await file.close();
    }
  }
}
