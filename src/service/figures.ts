/**
 * Joins the figures of all processes. Counters of mail are summed up; figures of a process (memory, CPU, event loop)
 * are labelled with its name. The counts of a process that has ended stay in the sums.
 */
import { AggregatorRegistry, type Registry } from 'prom-client';
import type { Figures } from './messages.ts';

export interface Source {
  readonly name: string;
  /** Its figures now, or as they were last known. */
  figures(): Promise<Figures>;
}

const ourPrefix = 'detach_mta_';

export class SummedFigures {
  readonly #sources: () => readonly Source[];
  readonly contentType: string;
  /** Counters of processes that have ended. */
  #ended: Figures = [];
  #keeping: Promise<void> = Promise.resolve();

  constructor(own: Registry, sources: () => readonly Source[]) {
    this.contentType = own.contentType;
    this.#sources = () => [{ name: 'supervisor', figures: () => own.getMetricsAsJSON() }, ...sources()];
  }

  async metrics(): Promise<string> {
    // Read at the same moment: a process that ends meanwhile counts as living or as ended, never as both.
    const ended = this.#ended;
    const all = await Promise.all(this.#sources().map(async (source) => labelled(await source.figures(), source.name)));
    return AggregatorRegistry.aggregate([ended, ...all].map((each) => [...each])).metrics();
  }

  /** A process has ended: its counters stay. `forget` takes it out of the sources, at the same moment. */
  keep(last: Figures, forget: () => void): Promise<void> {
    // These run one after the other, because each adds to the result of the one before.
    this.#keeping = this.#keeping.then(() => this.#add(last, forget));
    return this.#keeping;
  }

  async #add(last: Figures, forget: () => void): Promise<void> {
    const counted = last.filter(({ name, type }) => name.startsWith(ourPrefix) && accumulates(type));
    const sums = AggregatorRegistry.aggregate([[...this.#ended], [...counted]]);
    const figures = await sums.getMetricsAsJSON();
    this.#ended = figures;
    forget();
  }
}

/** The library's types say an enumeration, its values are words. */
const accumulates = (type: unknown): boolean => type === 'counter' || type === 'histogram';

function labelled(figures: Figures, process: string): Figures {
  return figures.map((metric) => {
    if (metric.name.startsWith(ourPrefix)) return metric;
    const values = metric.values.map((value) => ({ ...value, labels: { ...value.labels, process } }));
    return { ...metric, values, aggregator: 'sum' };
  });
}
