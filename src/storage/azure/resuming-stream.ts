import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../smtp/failures.ts';
import { storageFailure } from './attempt.ts';
import type { Body } from './open-blob.ts';

/** Breaks in a row without a byte between them. */
const maxFruitlessTries = 4;
/** Breaks in all. */
const maxBreaks = 100;
const firstPauseMs = 100;
/** A connection that gives nothing for this long while bytes are wanted counts as broken. */
const stallMs = 30_000;

export interface ResumingStreamOptions {
  /** For the log. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Bytes in all. */
  readonly count: number;
  readonly first: Body;
  /** Opens the bytes from `at` on, counted from the start of the stream; undefined when they are gone. */
  readonly openAt: (at: number, signal: AbortSignal) => Promise<Body | undefined>;
}

/**
 * A body from storage that is opened again at the position where the connection broke.
 *
 * Holds one chunk of the connection at a time, and asks for the next one when the reader has taken it. It ends after
 * `count` bytes and in no other way: a connection that breaks for good is an error.
 */
export class ResumingStream extends Readable {
  readonly #options: ResumingStreamOptions;
  readonly #stop = new AbortController();
  readonly #chunks: AsyncGenerator<Buffer, void, undefined>;
  readonly #onAbort = (): void => void this.destroy(new Error('download was given up'));
  #body: Body;

  constructor(options: ResumingStreamOptions) {
    super({ highWaterMark: 65_536 });
    this.#options = options;
    this.#body = options.first;
    this.#chunks = this.#resumed();
    if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  override _read(): void {
    this.#chunks.next().then(
      (next) => this.push(next.done === true ? null : next.value),
      (error: unknown) => this.destroy(error instanceof Failure ? error : storageFailure(this.#options.what, error)),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#stop.abort();
    this.#body.close();
    done(error);
  }

  #use(body: Body): void {
    this.#body = body;
    if (this.destroyed) body.close();
  }

  async *#resumed(): AsyncGenerator<Buffer, void, undefined> {
    const { count, openAt } = this.#options;
    let at = 0;
    let fruitless = 0;
    for (let breaks = 0; ; breaks++) {
      const before = at;
      let broken: unknown = new Error('ended early');
      try {
        for await (const chunk of unstalled(this.#body)) {
          at += chunk.length;
          if (at > count) break;
          yield chunk;
        }
      } catch (error) {
        broken = error;
      }
      if (at === count) return;
      if (at > count) throw new Error(`more than the promised ${count} bytes`);
      fruitless = at > before ? 0 : fruitless + 1;
      if (this.#stop.signal.aborted || fruitless >= maxFruitlessTries || breaks >= maxBreaks) throw broken;
      await pause(firstPauseMs * 2 ** fruitless, undefined, { signal: this.#stop.signal });
      const next = await openAt(at, this.#stop.signal);
      if (!next) throw new Error('gone while it was read');
      this.#use(next);
    }
  }
}

/**
 * The chunks of a body. The body is closed when no chunk comes for too long; the time that the reader takes does not
 * count.
 */
async function* unstalled({ stream, close }: Body): AsyncGenerator<Buffer, void, undefined> {
  const stalled = new AbortController();
  stalled.signal.addEventListener('abort', close);
  const watch = (): NodeJS.Timeout => setTimeout(() => stalled.abort(), stallMs);
  let timer = watch();
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      if (chunk.length > 0) yield chunk;
      timer = watch();
    }
  } catch (error) {
    throw stalled.signal.aborted ? new Error(`no byte for ${stallMs / 1000} s`) : error;
  } finally {
    clearTimeout(timer);
  }
}
