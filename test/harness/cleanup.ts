interface Stoppable {
  stop(): Promise<unknown>;
}

/** What was started, to be ended in reverse order. */
export class Cleanup {
  readonly #endings: (() => Promise<unknown>)[] = [];

  /** Waits for the start, and registers what was started for `end`. */
  async use<T extends Stoppable>(starting: T | Promise<T>): Promise<T> {
    const started = await starting;
    this.#endings.push(() => started.stop());
    return started;
  }

  defer(ending: () => unknown): void {
    this.#endings.push(() => Promise.resolve().then(ending));
  }

  /** Ends everything, even if one end fails. @throws the first error */
  async end(): Promise<void> {
    const errors: unknown[] = [];
    for (let ending = this.#endings.pop(); ending; ending = this.#endings.pop()) {
      await ending().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }
}
