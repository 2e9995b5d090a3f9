export interface RememberedOptions {
  readonly entries: number;
  readonly ms: number;
  /** Time that only goes forward: ms. */
  readonly clock?: () => number;
}

interface Entry<T> {
  readonly at: number;
  readonly answer: Promise<T>;
}

/**
 * Answers that hold for a moment: whoever asks the same again, or at the same time, gets the same answer without a
 * question. Failures are told to those who wait, and forgotten. The oldest answer makes room for a new one.
 */
export class Remembered<T> {
  readonly #options: RememberedOptions;
  readonly #clock: () => number;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: RememberedOptions) {
    this.#options = options;
    this.#clock = options.clock ?? ((): number => performance.now());
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const now = this.#clock();
    this.#forget(now);
    const known = this.#entries.get(key);
    if (known) return known.answer;
    const entry: Entry<T> = { at: now, answer: ask() };
    this.#entries.set(key, entry);
    entry.answer.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry.answer;
  }

  /** Entries stand in the order of their age. */
  #forget(now: number): void {
    const { entries, ms } = this.#options;
    for (const [key, { at }] of this.#entries) {
      if (now - at < ms && this.#entries.size < entries) return;
      this.#entries.delete(key);
    }
  }
}
