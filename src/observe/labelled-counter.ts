import { Counter, type Registry } from 'prom-client';

interface LabelledCounter<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly label: L;
  readonly values: readonly string[];
}

/** A counter with a series for each value of its label, all at 0. */
export function labelledCounter<L extends string>(
  registry: Registry,
  { name, help, label, values }: LabelledCounter<L>,
): Counter<L> {
  const made = new Counter({ name: `detach_mta_${name}`, help, labelNames: [label], registers: [registry] });
  for (const value of values) made.labels(value).inc(0);
  return made;
}
