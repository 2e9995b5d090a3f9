/** Keeps only the largest of many items. */
export class Largest<T> {
  readonly #count: number;
  readonly #sizeOf: (item: T) => number;
  #items: readonly T[] = [];

  constructor(count: number, sizeOf: (item: T) => number) {
    this.#count = count;
    this.#sizeOf = sizeOf;
  }

  /** Largest first. */
  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    const last = this.#items.at(-1);
    if (last !== undefined && this.#items.length >= this.#count && this.#sizeOf(item) <= this.#sizeOf(last)) return;
    const sorted = [...this.#items, item].sort((a, b) => this.#sizeOf(b) - this.#sizeOf(a));
    this.#items = sorted.slice(0, this.#count);
  }
}
