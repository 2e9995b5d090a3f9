/**
 * A time by which something must have happened, set anew for every reply.
 *
 * One timer runs out and is then set anew for the rest of the current deadline. With a timer for each reply, Node would
 * create and drop a list of timers for nearly every one of them.
 */
export class Deadline {
  #at = Infinity;
  #missed: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;

  /** `missed` is called after so many ms, unless the deadline is lifted or set again before. */
  set(ms: number, missed: () => void): void {
    this.#at = performance.now() + ms;
    this.#missed = missed;
    if (!this.#timer || this.#at < this.#timerAt) this.#wait(ms);
  }

  /** Nothing is waited for now. The timer may still run: call `close` when the deadline is not needed any more. */
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
