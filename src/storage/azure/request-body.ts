import { ClientRequest } from 'node:http';
import { Readable } from 'node:stream';
import type { Blocks } from '../interface.ts';

/**
 * What the SDK sends as the body of a request.
 *
 * It asks for the next block only when the kernel has taken the last one, so the source can reuse the same memory; an
 * ordinary stream would read ahead. Destroying it before the end destroys the request: no byte of a block may be sent
 * after the block was given back.
 */
export class RequestBody extends Readable {
  readonly #source: Blocks;
  /**
   * Called with errors of the source, unless the body was destroyed before. Errors of the request are left to the SDK,
   * which may try again.
   */
  readonly #onError: (error: Error) => void;
  #request: ClientRequest | undefined;

  constructor(source: Blocks, onError: (error: Error) => void) {
    super();
    this.#source = source;
    this.#onError = onError;
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    // Only for a ClientRequest it is known that a block is free again when `write` calls back.
    if (!(destination instanceof ClientRequest)) throw new TypeError('the body of a request goes into a request');
    this.#request = destination;
    this.#send(destination).catch((error: unknown) => {
      if (!this.destroyed) this.#onError(error instanceof Error ? error : new Error(String(error)));
    });
    return destination;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#request?.destroy();
    this.#source.destroy?.();
    done(error);
  }

  async #send(request: ClientRequest): Promise<void> {
    for await (const block of this.#source) {
      if (!(await isTaken(request, block))) return;
    }
    this.#request = undefined;
    request.end();
  }
}

/** False when the request came to an end before. */
function isTaken(request: ClientRequest, block: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = (): void => resolve(false);
    if (request.destroyed) {
      gone();
      return;
    }
    request.once('close', gone);
    request.write(block, (error) => {
      request.off('close', gone);
      resolve(!error);
    });
  });
}
