/** Executions in one round. Each round has its own seed, so a finding is reproduced without the rounds before. */
const roundSize = 20_000;

export interface Round {
  readonly iterations: number;
  readonly seed: number;
}

/** What is counted, by name. */
export type Counts = Readonly<Record<string, number>>;

/** A long run. Writes one JSON line for each round to standard output; the last line has the sums. */
export async function inRounds(
  iterations: number,
  seed: number,
  run: (round: Round) => Promise<Counts> | Counts,
): Promise<void> {
  const start = performance.now();
  const sums: Record<string, number> = {};
  for (let done = 0; done < iterations; done += roundSize) {
    const round = { iterations: Math.min(roundSize, iterations - done), seed: seed + done / roundSize };
    const report: Counts = { ...(await run(round)), executions: round.iterations };
    for (const [name, count] of Object.entries(report)) sums[name] = (sums[name] ?? 0) + count;
    console.log(JSON.stringify({ seed: round.seed, ...report }));
  }
  console.log(JSON.stringify({ ...sums, seconds: Math.round((performance.now() - start) / 1000) }));
}
