/** A number from 0 up to, and without, `below`. */
export type Random = (below: number) => number;

/** Marsaglia's xorshift, 32 bits: the same numbers for the same seed, others for the next one. */
export function randomNumbers(seed: number): Random {
  // An odd factor maps no two seeds to one; zero is the one state that the generator never leaves.
  let state = Math.imul(seed ^ 0x2545f491, 0x9e3779b1) || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, below);
  };
}
