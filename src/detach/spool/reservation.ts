import type { Failure } from '../../smtp/failures.ts';
import type { Spool } from './spool.ts';

export interface ReservationOptions {
  /** Whose share of the spool it takes. */
  readonly client: string | undefined;
  readonly onRefusal: (failure: Failure) => void;
}

/** The room in the spool that one tape has taken. */
export class Reservation {
  readonly #spool: Spool;
  readonly #options: ReservationOptions;
  #bytes = 0;
  /** Settles when other processes have answered whether there is room. */
  #pending: Promise<void> | undefined;

  constructor(spool: Spool, options: ReservationOptions) {
    this.#spool = spool;
    this.#options = options;
  }

  /** Set while other processes are asked. */
  get pending(): Promise<void> | undefined {
    return this.#pending;
  }

  /** Memory counts like disk, so the size that a message may have does not depend on other messages. */
  take(bytes: number): void {
    const failure = this.#spool.reserve(bytes, this.#options.client);
    if (!(failure instanceof Promise)) {
      this.#answered(bytes, failure);
      return;
    }
    const before = this.#pending;
    const pending = failure
      .then((late) => this.#answered(bytes, late))
      .then(() => before)
      .then(() => {
        if (this.#pending === pending) this.#pending = undefined;
      });
    this.#pending = pending;
  }

  async free(): Promise<void> {
    await this.#pending;
    this.#spool.free(this.#bytes, this.#options.client);
    this.#bytes = 0;
  }

  #answered(bytes: number, failure: Failure | undefined): void {
    if (failure) this.#options.onRefusal(failure);
    else this.#bytes += bytes;
  }
}
