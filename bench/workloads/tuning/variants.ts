import type { Metric } from '../../measure/figure.ts';
import type { Bench } from '../workload.ts';

export type Measured = Partial<Record<Metric, number>>;

export interface Comparison<Value> {
  /** The setting, and what was sent. */
  readonly situation: string;
  /** By the name that the table has for them; the first is what the others are compared with. */
  readonly values: Readonly<Record<string, Value>>;
  readonly measure: (value: Value) => Promise<Measured>;
}

/** Measures each value once a round, so that what disturbs the machine disturbs all of them. */
export async function compare<Value>(
  bench: Bench,
  { situation, values, measure }: Comparison<Value>,
  { rounds = bench.rounds }: { readonly rounds?: number } = {},
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    for (const [peer, value] of Object.entries(values)) {
      bench.progress(`tuning, round ${round}: ${situation}: ${peer}`);
      const measured = await measure(value);
      for (const [metric, figure] of Object.entries(measured) as [Metric, number][])
        bench.record({ work: 'tuning', situation, peer, metric, value: figure });
    }
  }
}
