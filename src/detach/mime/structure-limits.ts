/**
 * How much structure a message may have. A part, or a line that looks like a delimiter, costs more time than its bytes
 * alone. Mail that people and programs send is far below these limits.
 */
export const structureLimits = {
  /** Parts of all multiparts, and forwarded messages. */
  parts: { most: 2500, says: 'parts' },
  /** Headers of all parts together. */
  partHeaderBytes: { most: 1024 * 1024, says: 'bytes of part headers' },
  /** Lines that begin with an open boundary and are no delimiter. */
  nearMissLines: { most: 10_000, says: 'lines that begin like a delimiter' },
  /** Lines of two dashes and the first octet of an open boundary. Comparing one costs as much as thirty other octets. */
  similarLines: { most: 500_000, says: 'lines that resemble a delimiter' },
} as const;

export type Structure = keyof typeof structureLimits;

/** What one message has used of each. */
export class StructureBudget {
  readonly #used: Record<Structure, number> = { parts: 0, partHeaderBytes: 0, nearMissLines: 0, similarLines: 0 };

  /** @returns why the message is too much, or undefined */
  spend(kind: Structure, amount: number): string | undefined {
    this.#used[kind] += amount;
    const { most, says } = structureLimits[kind];
    return this.#used[kind] > most ? `more than ${most} ${says}` : undefined;
  }
}
