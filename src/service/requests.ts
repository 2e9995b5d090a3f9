/** Requests to another process that wait for their answers, by number. */
export class Requests<T> {
  readonly #waiting = new Map<number, (answer: T | undefined) => void>();
  #last = 0;

  /** @returns the answer; undefined when none came within `timeoutMs` (without: for as long as it takes) */
  ask(send: (id: number) => void, timeoutMs?: number): Promise<T | undefined> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.answer(id, undefined), timeoutMs);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send(id);
    });
  }

  answer(id: number, answer: T | undefined): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(answer);
  }

  /** The other process has gone: nobody will answer. */
  giveUp(): void {
    for (const id of [...this.#waiting.keys()]) this.answer(id, undefined);
  }
}
