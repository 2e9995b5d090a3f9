import { setMaxListeners } from 'node:events';

export interface Share<T> {
  readonly signal: AbortSignal;
  work(): Promise<T>;
  /** The result for callers that waited while another one did the work. */
  readonly joined: T;
}

/** Does the same work only once for callers that ask for it at the same time. */
export class SharedWork<T> {
  readonly #running = new Map<string, Promise<T>>();

  /**
   * Does the work, or waits for the caller that is doing it. A failure ends that caller only: the next one tries
   * itself.
   */
  async run(key: string, share: Share<T>): Promise<T> {
    for (let running = this.#running.get(key); running; running = this.#running.get(key)) {
      if (await settled(running, share.signal)) return share.joined;
      // This fails at once, and must not become the work that others wait for.
      if (share.signal.aborted) return share.work();
    }
    const mine = share.work();
    this.#running.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#running.get(key) === mine) this.#running.delete(key);
    }
  }
}

/** True when it succeeded; false when it failed, or the signal fired first. */
function settled(work: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const give = (done: boolean): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(done);
    };
    const onAbort = (): void => give(false);
    setMaxListeners(0, signal);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      () => give(true),
      () => give(false),
    );
  });
}
