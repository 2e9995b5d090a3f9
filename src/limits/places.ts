/** Places, each for one of something, that are waited for in turn. They may be those of the whole service. */
export interface Places {
  /** Calls `granted` at once or when a place is free. @returns what withdraws the request; no-op once granted */
  request(granted: () => void): () => void;
  /** Gives one back. */
  free(): void;
  /** Another process waits for a place that this one should give up. */
  readonly wanted: boolean;
  /** Set by the owner: gives up places that are kept unused, at most so many. */
  onWanted: (count: number) => void;
}

/** Counted in this process alone. */
export class LocalPlaces implements Places {
  readonly wanted = false;
  onWanted: (count: number) => void = () => undefined;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  request(granted: () => void): () => void {
    if (this.#free > 0) {
      this.#free -= 1;
      granted();
      return () => undefined;
    }
    const entry = (): void => granted();
    this.#waiting.add(entry);
    return () => void this.#waiting.delete(entry);
  }

  free(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
