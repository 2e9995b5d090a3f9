/** No place was free in time: the client is told to come again. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

export interface GateOptions {
  readonly places: number;
  /** How many may wait for one. */
  readonly waiting: number;
  /** ms */
  readonly waitMs: number;
  /** Share of places and queue that one client may have: more than 0, at most 1. */
  readonly sharePerClient: number;
}

interface Waiter {
  readonly client: string;
  readonly enter: () => void;
}

interface Held {
  places: number;
  waiting: number;
}

/**
 * Allows a number of requests at once, lets a few more wait, and refuses the rest. One client never gets all places, so
 * others find room while it floods the server.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #queue = new Set<Waiter>();
  readonly #ofClient = new Map<string, Held>();
  readonly #placesPerClient: number;
  readonly #waitingPerClient: number;
  #free: number;

  constructor(options: GateOptions) {
    const { places, waiting, sharePerClient } = options;
    this.#options = options;
    this.#placesPerClient = Math.ceil(places * sharePerClient);
    this.#waitingPerClient = Math.ceil(waiting * sharePerClient);
    this.#free = places;
  }

  /** Waits for a place, does the work, and gives the place back. @throws BusyError, and what the work throws */
  async run<T>(client: string, work: () => Promise<T>): Promise<T> {
    await this.#enter(client);
    try {
      return await work();
    } finally {
      this.#leave(client);
    }
  }

  async #enter(client: string): Promise<void> {
    const held = this.#heldBy(client);
    if (this.#free > 0 && held.places < this.#placesPerClient) {
      this.#take(held);
      return;
    }
    if (this.#queue.size >= this.#options.waiting || held.waiting >= this.#waitingPerClient) {
      this.#forget(client, held);
      throw new BusyError('too many at once');
    }
    held.waiting += 1;
    try {
      await this.#turn(client);
    } finally {
      held.waiting -= 1;
      this.#forget(client, held);
    }
  }

  /** Resolves when the place is taken. */
  #turn(client: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#queue.delete(waiter);
        reject(new BusyError('no place became free in time'));
      }, this.#options.waitMs);
      const enter = (): void => {
        clearTimeout(timer);
        this.#queue.delete(waiter);
        this.#take(this.#heldBy(client));
        resolve();
      };
      const waiter: Waiter = { client, enter };
      this.#queue.add(waiter);
    });
  }

  #leave(client: string): void {
    const held = this.#heldBy(client);
    held.places -= 1;
    this.#free += 1;
    this.#forget(client, held);
    for (const waiter of this.#queue) {
      if (this.#heldBy(waiter.client).places >= this.#placesPerClient) continue;
      waiter.enter();
      return;
    }
  }

  #take(held: Held): void {
    this.#free -= 1;
    held.places += 1;
  }

  #heldBy(client: string): Held {
    let held = this.#ofClient.get(client);
    if (!held) this.#ofClient.set(client, (held = { places: 0, waiting: 0 }));
    return held;
  }

  #forget(client: string, { places, waiting }: Held): void {
    if (places === 0 && waiting === 0) this.#ofClient.delete(client);
  }
}
