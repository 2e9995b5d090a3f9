/** A limit on something that is taken and given back. It may hold for this process or for the whole service. */
export interface Quota {
  /** True: taken. A promise where another process has to be asked first; it never rejects. */
  tryTake(amount: number): boolean | Promise<boolean>;
  give(amount: number): void;
}

/** A quota of its own for each key, such as the address of a client. */
export interface KeyedQuota {
  of(key: string): Quota;
}
