/**
 * The bytes of one message, appended once and read any number of times.
 *
 * Holds one block in memory, and those at its beginning for which the spool has room; other full blocks go to a spool
 * file. Appending never waits: the owner calls `drain` between chunks, which waits for the disk when the spool has too
 * many blocks on their way there. Blocks belong to the spool's pool: what `lend` hands out is good until the next one
 * is asked for.
 *
 * One other reader, such as the hashing thread, may read the blocks in place while the tape is filled. A block is used
 * again only when that reader allows it.
 */
import { countGarbage } from '../../runtime/minor-collection.ts';
import { takeTurns } from '../../runtime/take-turns.ts';
import { BlockFile } from './block-file.ts';
import { Reservation } from './reservation.ts';
import { blockSize, type Spool } from './spool.ts';

/**
 * Garbage in bytes from the promises and events of sending one block to storage: one collection for every 32 MiB sent.
 */
const garbagePerBlock = 16 * 1024;

/** Bytes in a block, and where the first one stands on the tape. */
export interface BlockBytes {
  readonly bytes: Buffer;
  readonly start: number;
}

/** Waits until a block may be used again; undefined: it may already. */
export type MayReuse = () => Promise<void> | undefined;

/** A block that its reader may still need. */
export interface BlockInUse {
  /** The tape wants the block back: the reader should hurry. */
  flush(): MayReuse;
}

/** Reads the blocks of a tape where they are, at its own pace. */
export interface BlockReader {
  /**
   * The block is full and does not change until it may be used again. @returns undefined when the reader does not need
   * it
   */
  blockEnds(block: BlockBytes): BlockInUse | undefined;
  /** The tape was released. Its blocks change from now on, so unread bytes have no meaning any more. */
  tapeEnds(): void;
}

/** A block that stays in memory: the whole of it, and the bytes in it. */
interface Resident extends BlockBytes {
  readonly block: Buffer;
}

export class Tape {
  readonly #spool: Spool;
  #block: Buffer | undefined;
  /** Bytes in `#block`, and where its first one stands on the tape. */
  #filled = 0;
  #blockStart = 0;
  /** The beginning of the tape. What comes after it is in the file. */
  readonly #residents: Resident[] = [];
  #residentEnd = 0;
  readonly #file: BlockFile;
  readonly #reservation: Reservation;
  #reader: BlockReader | undefined;
  #holders = 1;

  /** `client`: whose share of the spool it takes. */
  constructor(spool: Spool, client?: string) {
    this.#spool = spool;
    this.#file = new BlockFile(spool);
    this.#reservation = new Reservation(spool, { client, onRefusal: (failure) => this.#file.fail(failure) });
  }

  get length(): number {
    return this.#blockStart + this.#filled;
  }

  /** To be called before anything is appended. */
  shareBlocks(reader: BlockReader): void {
    this.#reader = reader;
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

  /** The block that is being filled. */
  get lastBlock(): BlockBytes | undefined {
    return this.#block && { bytes: this.#block.subarray(0, this.#filled), start: this.#blockStart };
  }

  /**
   * What the caller must wait for before it appends more; undefined: nothing.
   * @throws Failure spoolFull
   */
  drain(): Promise<void> | undefined {
    return this.#pressure !== undefined || this.#file.failed ? this.#drain() : undefined;
  }

  /** All bytes, where none of them went to the file: good until the tape is released, or appended to. */
  views(): readonly Buffer[] | undefined {
    if (this.#file.failed || this.#residentEnd < this.#blockStart) return undefined;
    const views = this.#residents.map(({ bytes }) => bytes);
    if (this.#block) views.push(this.#block.subarray(0, this.#filled));
    return views;
  }

  /** The bytes as buffers that belong to the caller. */
  async *read(from: number, to: number): AsyncGenerator<Buffer, void, undefined> {
    for (let at = from; at < to;) {
      const bytes = this.#inMemory(at, to);
      const block = bytes ? Buffer.from(bytes) : await this.#file.read(Buffer.allocUnsafe(this.#inFile(at, to)), at);
      at += block.length;
      yield block;
      await takeTurns();
    }
  }

  /**
   * The bytes as buffers, each of which belongs to the caller until it asks for the next one. Nothing must be appended
   * meanwhile.
   */
  async *lend(from: number, to: number): AsyncGenerator<Buffer, void, undefined> {
    let block: Buffer | undefined;
    try {
      for (let at = from; at < to;) {
        let bytes = this.#inMemory(at, to);
        if (!bytes) {
          block ??= this.#spool.takeBlock();
          bytes = await this.#file.read(block.subarray(0, this.#inFile(at, to)), at);
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
    this.#reader?.tapeEnds();
    if (this.#block) this.#spool.giveBlock(this.#block);
    this.#block = undefined;
    for (const { block } of this.#residents.splice(0)) this.#spool.giveResident(block);
    try {
      await this.#file.close();
    } finally {
      await this.#reservation.free();
    }
  }

  get #pressure(): Promise<void> | undefined {
    return this.#reservation.pending ?? this.#file.pressure;
  }

  async #drain(): Promise<void> {
    for (let pressure = this.#pressure; pressure; pressure = this.#pressure) await pressure;
    this.#file.check();
  }

  #blockWithRoom(bytes: number): Buffer {
    if (this.#block && blockSize - this.#filled < bytes) this.#flush(this.#block);
    return (this.#block ??= this.#spool.takeBlock());
  }

  #flush(block: Buffer): void {
    const [start, filled] = [this.#blockStart, this.#filled];
    const bytes = block.subarray(0, filled);
    const inUse = this.#reader?.blockEnds({ bytes, start });
    this.#blockStart += filled;
    this.#filled = 0;
    this.#block = undefined;
    this.#reservation.take(filled);
    if (this.#residentEnd === start && this.#keep({ block, bytes, start })) return;
    this.#file.write({ block, filled, start, mayReuse: inUse?.flush() });
  }

  #keep(resident: Resident): boolean {
    if (this.#file.failed || !this.#spool.claimResident()) return false;
    this.#residents.push(resident);
    this.#residentEnd += resident.bytes.length;
    return true;
  }

  /** A view of the bytes at this position, at most to the end of one block. */
  #inMemory(at: number, to: number): Buffer | undefined {
    this.#file.check();
    if (at >= this.#blockStart) {
      const end = Math.min(to, this.length);
      if (at >= end) throw new Error(`tape ends at ${this.length}, ${to} was asked for`);
      return this.#block?.subarray(at - this.#blockStart, end - this.#blockStart);
    }
    if (at >= this.#residentEnd) return undefined;
    const resident = this.#residents.find(({ start, bytes }) => at < start + bytes.length);
    return resident?.bytes.subarray(at - resident.start, to - resident.start);
  }

  /** How many bytes of the file are read at once. */
  #inFile(at: number, to: number): number {
    return Math.min(blockSize, to - at, this.#blockStart - at);
  }
}
