export interface RememberedOptions {
  readonly entries: number;
  readonly ms: number;
  /** A monotonic clock: ms. */
  readonly clock?: () => number;
}

interface Entry<T> {
  readonly at: number;
  readonly answer: Promise<T>;
}

/**
 * Remembers answers for a moment: the same question, again or at the same time, gets the same answer without another
 * lookup. Failures go to all who wait and are not remembered. A new answer replaces the oldest.
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

  /** From now on this is the answer. */
  put(key: string, answer: T): void {
    const now = this.#clock();
    this.#entries.delete(key);
    this.#forget(now);
    this.#entries.set(key, { at: now, answer: Promise.resolve(answer) });
  }

  has(key: string): boolean {
    const known = this.#entries.get(key);
    return known !== undefined && this.#clock() - known.at < this.#options.ms;
  }

  /** Entries are in order of age. */
  #forget(now: number): void {
    const { entries, ms } = this.#options;
    for (const [key, { at }] of this.#entries) {
      if (now - at < ms && this.#entries.size < entries) return;
      this.#entries.delete(key);
    }
  }
}
