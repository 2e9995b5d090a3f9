/** A number from 0 up to, and without, `below`. */
export type Random = (below: number) => number;

/** Marsaglia's xorshift, 32 bits: the same numbers for the same seed. */
export function randomNumbers(seed: number): Random {
  // An odd factor gives each seed a different state. Zero is excluded: the generator would never leave it.
  let state = Math.imul(seed ^ 0x2545f491, 0x9e3779b1) || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, below);
  };
}
