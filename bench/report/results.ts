import type { Figure, Metric } from '../measure/figure.ts';
import { type Summary, summarize } from '../measure/statistics.ts';

export interface Row extends Summary {
  readonly work: string;
  readonly situation: string;
  readonly peer: string;
  readonly metric: Metric;
}

/** All figures of one run, grouped over its rounds, in the order in which they first came. */
export class Results {
  readonly rows: readonly Row[];

  constructor(figures: readonly Figure[]) {
    const values = new Map<string, { readonly figure: Figure; readonly values: number[] }>();
    for (const figure of figures) {
      const found = values.get(keyOf(figure));
      if (found) found.values.push(figure.value);
      else values.set(keyOf(figure), { figure, values: [figure.value] });
    }
    this.rows = [...values.values()].map(({ figure, values: each }) => ({
      work: figure.work,
      situation: figure.situation,
      peer: figure.peer,
      metric: figure.metric,
      ...summarize(each),
    }));
  }

  median(wanted: Omit<Figure, 'value'>): number | undefined {
    return this.rows.find((row) => keyOf(row) === keyOf(wanted))?.median;
  }

  /** The medians of one metric in all situations of a workload. */
  all(work: string, metric: Metric): number[] {
    return this.rows.filter((row) => row.work === work && row.metric === metric).map((row) => row.median);
  }
}

function keyOf({ work, situation, peer, metric }: Omit<Figure, 'value'>): string {
  return [work, situation, peer, metric].join('\n');
}
