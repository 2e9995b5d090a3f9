/** Something that mail needs. A check that throws counts as not ready. */
export interface Check {
  readonly name: string;
  readonly check: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * How long an answer is reused. The next hop and storage are asked at most once a second, however often somebody asks
 * us.
 */
const cacheMs = 1000;

/** Below the usual time-out of a probe, so that it gets an answer with a name in it. */
const defaultTimeoutMs = 5000;

/** Runs the checks, never twice at the same time, and remembers the answer for a second. */
export class Readiness {
  readonly #checks: readonly Check[];
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  #running: Promise<readonly string[]> | undefined;
  #last: { readonly missing: readonly string[]; readonly until: number } | undefined;

  constructor(checks: readonly Check[], options: { readonly timeoutMs?: number; readonly now?: () => number } = {}) {
    this.#checks = checks;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Names of what is not ready, in the order of the checks; never rejects. */
  async missing(): Promise<readonly string[]> {
    if (this.#last !== undefined && this.#now() < this.#last.until) return this.#last.missing;
    this.#running ??= this.#runAll();
    return this.#running;
  }

  /** Ends the checks that are under way. */
  close(): void {
    this.#closing.abort();
  }

  async #runAll(): Promise<readonly string[]> {
    const results = await Promise.all(this.#checks.map((check) => this.#run(check)));
    const missing = this.#checks.filter((_, i) => results[i] !== true).map(({ name }) => name);
    this.#last = { missing, until: this.#now() + cacheMs };
    this.#running = undefined;
    return missing;
  }

  /** False when the check fails or does not heed the signal in time. */
  #run({ check }: Check): Promise<boolean> {
    return new Promise((resolve) => {
      const control = new AbortController();
      const stop = (): void => {
        control.abort();
        settle(false);
      };
      const timer = setTimeout(stop, this.#timeoutMs);
      this.#closing.signal.addEventListener('abort', stop, { once: true });
      const settle = (ready: boolean): void => {
        clearTimeout(timer);
        this.#closing.signal.removeEventListener('abort', stop);
        resolve(ready);
      };
      Promise.resolve()
        .then(() => check(control.signal))
        .then(settle, () => settle(false));
    });
  }
}
