import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Failure } from '../../smtp/failures.ts';
import { programFolder } from '../program-folder.ts';

/** What the thread is sent: some more bytes of a file, and whether it ends with them. */
export interface Job {
  readonly file: number;
  /** In shared memory: the thread reads it later, so it must not change before. */
  readonly blocks: readonly Uint8Array[];
  readonly end: 'digest' | 'forget' | undefined;
  /** Whether MD5 sums are wanted too. */
  readonly md5: boolean;
}

/** What the thread is given at its start. */
export interface ThreadData {
  /** How many jobs are done: the thread counts there. */
  readonly done: Int32Array;
  readonly md5Bytes: number;
}

/** Each MD5 sum is that of so many bytes of the file, the last one that of the rest. */
export const md5Bytes = 32 * 1024 * 1024;

/** What is known of the bytes of a file. */
export interface FileDigest {
  /** In hex. */
  readonly sha256: string;
  /** As in ZIP archives. */
  readonly crc32: number;
  /** Of every `md5Bytes`, in base64, where they were asked for: for a storage service to check what arrives. */
  readonly md5?: readonly string[];
}

/** What it answers to `digest`. */
export interface Digest extends FileDigest {
  readonly file: number;
}

/** SHA-256 and CRC-32 of one file, and MD5 sums if wanted, computed beside the event loop. */
export interface FileHash {
  /** A block or the part of one, which must not change before the thread has caught up. */
  update(block: Uint8Array): void;
  /**
   * Sends a partly filled batch, because somebody is going to wait for it.
   * @returns tells when all bytes so far have been hashed, or never will be; undefined when they have been
   */
  flush(): CaughtUp;
  /** The caller need not wait for it, even if it rejects. */
  digest(): Promise<FileDigest>;
  /** The digest is not needed any more. */
  forget(): void;
}

export type CaughtUp = () => Promise<void> | undefined;

interface Waiting {
  readonly resolve: (digest: FileDigest) => void;
  readonly reject: (error: Error) => void;
}

/** Blocks that are sent together. Waking the thread for each block would cost half as much as hashing it. */
const maxGathered = 4;

/** Beyond this it only looks at bytes: little is allocated. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 };

/**
 * Measured: a sixth more speed for one file at a time and a quarter more for ten, at 5 % more CPU. To take it out, hash
 * in `update` and let `flush` return a function that returns undefined: nobody else knows that there is a thread.
 *
 * A thread that hashes files and works through its jobs in order. When it ends, for whatever reason, the digests of all
 * files that it has begun are rejected.
 */
export class HashThread {
  /** How many jobs are done: the thread counts there. */
  readonly #done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #sent = 0;
  readonly #worker = new Worker(join(programFolder, 'runtime/hashing/thread.mjs'), {
    resourceLimits,
    workerData: { done: this.#done, md5Bytes } satisfies ThreadData,
  });
  readonly #waiting = new Map<number, Waiting>();
  #files = 0;
  #end: Failure | undefined;
  /** `stop` waits for the end of the thread. A digest that comes meanwhile must not let the process end before that. */
  #stopping = false;

  constructor() {
    this.#worker.on('message', ({ file, ...digest }: Digest) => this.#settle(file)?.resolve(digest));
    this.#worker.on('error', (error) => this.#ends(error));
    this.#worker.on('exit', (code) => this.#ends(new Error(`exit code ${code}`)));
    this.#worker.unref();
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  open({ md5 = false }: { readonly md5?: boolean } = {}): FileHash {
    this.#files += 1;
    const file = this.#files;
    let gathered: Uint8Array[] = [];
    let last = this.#sent;
    const send = (end?: Job['end']): void => {
      const blocks = gathered;
      gathered = [];
      if (blocks.length === 0 && end === undefined) return;
      last = this.#sent = (this.#sent + 1) | 0;
      this.#worker.postMessage({ file, blocks, end, md5 } satisfies Job);
    };
    return {
      update: (block) => {
        gathered.push(block);
        if (gathered.length === maxGathered) send();
      },
      flush: () => {
        send();
        const job = last;
        return () => {
          const ahead = (job - Atomics.load(this.#done, 0)) | 0;
          return ahead > 0 ? this.#allDone() : undefined;
        };
      },
      digest: () => {
        const digest = this.#answer(file);
        send('digest');
        return digest;
      },
      forget: () => {
        gathered = [];
        send('forget');
      },
    };
  }

  /** The thread is gone when this resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#worker.terminate();
    this.#ends(new Error('stopped'));
  }

  /** The thread works in order: a digest that is asked for now comes after everything that was sent before. */
  async #allDone(): Promise<void> {
    await this.open()
      .digest()
      .catch(() => undefined);
  }

  #answer(file: number): Promise<FileDigest> {
    const answer = new Promise<FileDigest>((resolve, reject) => {
      if (this.#end) {
        reject(this.#end);
        return;
      }
      this.#waiting.set(file, { resolve, reject });
      // The thread does not keep the process alive, but a digest that is waited for does.
      this.#worker.ref();
    });
    answer.catch(() => undefined);
    return answer;
  }

  #settle(file: number): Waiting | undefined {
    const waiting = this.#waiting.get(file);
    this.#waiting.delete(file);
    if (this.#waiting.size === 0 && !this.#stopping) this.#worker.unref();
    return waiting;
  }

  #ends(reason: Error): void {
    const message = `the thread that hashes files ended: ${reason.message}`;
    this.#end ??= new Failure('internal', { reason: message, cause: reason });
    for (const file of [...this.#waiting.keys()]) this.#settle(file)?.reject(this.#end);
  }
}

let thread: HashThread | undefined;

/** The one of this process: started when it is needed first, and again when it has ended. */
export function hashThread(): HashThread {
  if (thread === undefined || thread.ended) thread = new HashThread();
  return thread;
}
