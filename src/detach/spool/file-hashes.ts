import { type FileDigest, type FileHash, hashThread } from '../../runtime/hashing/hash-thread.ts';
import type { BlockBytes, BlockInUse, BlockReader, Tape } from './tape.ts';

/** The file that is being appended to the tape. */
interface OpenFile {
  readonly hash: FileHash;
  /** Position on the tape of the first byte that was not passed to the thread yet. */
  from: number;
}

/**
 * Hashes files while they are appended to a tape, block by block, in a thread of its own. The thread reads the blocks of
 * the tape themselves. Once the tape is released, no digest may be asked for.
 */
export class FileHashes implements BlockReader {
  readonly #tape: Tape;
  readonly #md5: boolean;
  #file: OpenFile | undefined;
  /** The last file with bytes in the current block that the thread reads. */
  #inBlock: FileHash | undefined;

  /** `md5`: digests have MD5 sums too. */
  constructor(tape: Tape, { md5 = false }: { readonly md5?: boolean } = {}) {
    this.#tape = tape;
    this.#md5 = md5;
    tape.shareBlocks(this);
  }

  /** From here on what is appended is one file. */
  begin(): void {
    this.abandon();
    this.#file = { hash: hashThread().open({ md5: this.#md5 }), from: this.#tape.length };
  }

  /** @returns the hashes of what was appended since `begin` */
  end(): Promise<FileDigest> {
    const file = this.#file;
    if (!file) return Promise.reject(new Error('no file was begun'));
    const block = this.#tape.lastBlock;
    if (block) this.#send(file, block);
    this.#file = undefined;
    return file.hash.digest();
  }

  /** Drops the hash of the file that was begun. */
  abandon(): void {
    this.#file?.hash.forget();
    this.#file = undefined;
  }

  blockEnds(block: BlockBytes): BlockInUse | undefined {
    if (this.#file) this.#send(this.#file, block);
    const inUse = this.#inBlock;
    this.#inBlock = undefined;
    return inUse;
  }

  tapeEnds(): void {
    this.abandon();
  }

  #send(file: OpenFile, { bytes, start }: BlockBytes): void {
    const end = start + bytes.length;
    if (end <= file.from) return;
    file.hash.update(bytes.subarray(Math.max(0, file.from - start)));
    file.from = end;
    this.#inBlock = file.hash;
  }
}
