/**
 * A time by which something must have happened, set anew for every reply.
 *
 * One timer is left to run out, and then waits for what is left of the deadline that holds by then. With one of Node's
 * for each reply, Node would make a list of timers for nearly each of them, and drop it again.
 */
export class Deadline {
  #at = Infinity;
  #missed: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;

  /** In so many ms, unless it is lifted or set again before, `missed` is called. */
  set(ms: number, missed: () => void): void {
    this.#at = performance.now() + ms;
    this.#missed = missed;
    if (!this.#timer || this.#at < this.#timerAt) this.#wait(ms);
  }

  /** Nothing is waited for. The timer may still be there: whoever is done with the deadline for good calls `close`. */
  lift(): void {
    this.#missed = undefined;
  }

  close(): void {
    this.lift();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = this.#at;
    this.#timer = setTimeout(this.#check, ms);
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    const missed = this.#missed;
    if (!missed) return;
    const left = this.#at - performance.now();
    if (left > 0) this.#wait(left);
    else {
      this.#missed = undefined;
      missed();
    }
  };
}
