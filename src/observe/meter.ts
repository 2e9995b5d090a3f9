import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Meter } from './interface.ts';

/** From a small mail on one machine to Postfix's patience with the final dot. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];

/**
 * A meter of its own, with the registry that `/metrics` serves; process metrics are in it too.
 * Every series exists from the start at 0: a rate over a series that appears with its first event misses that event.
 * What every message counts is only added up; the library sees it when somebody asks.
 */
export function createMeter(cluster: string): { readonly meter: Meter; readonly registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = <V extends string>(
    name: string,
    help: string,
    series: Series<V>,
  ): ((value: V, count: number) => void) => count(registry, { name: `detach_mta_${name}`, help }, series);
  const gauge = (name: string, help: string): ((value: number) => void) =>
    level(registry, { name: `detach_mta_${name}`, help });

  const transactions = counter('transactions_total', 'Mail transactions by how they ended.', {
    label: 'outcome',
    values: ['delivered', 'partial', 'deferred', 'refused', 'lost'],
  });
  const duration = new Histogram({
    name: 'detach_mta_transaction_duration_seconds',
    help: 'Time from MAIL to the last reply of a transaction.',
    buckets: durationBuckets,
    registers: [registry],
  });
  const bytes = counter('message_bytes_total', 'Bytes of messages received and sent on.', {
    label: 'direction',
    values: ['in', 'out'],
  });
  const fileResults = { label: 'result', values: ['stored', 'present'] } as const;
  const files = counter(
    'files_detached_total',
    'Files moved to storage, by whether storage had them already.',
    fileResults,
  );
  const fileBytes = counter('files_detached_bytes_total', 'Decoded bytes of files moved to storage.', fileResults);
  const loops = counter('loops_total', 'Mail loops met, by the fence that caught them.', {
    label: 'fence',
    values: ['stamp', 'count', 'mirror', 'chain'],
    others: { cluster },
  });
  const storageFailures = new Counter({
    name: 'detach_mta_storage_failures_total',
    help: 'Messages whose files could not be stored.',
    registers: [registry],
  });
  const open = gauge('next_hop_sessions', 'Open sessions with the next hop.');
  const idle = gauge('next_hop_sessions_idle', 'Open sessions with the next hop that no transaction uses.');

  const meter: Meter = {
    transaction(outcome, seconds) {
      transactions(outcome, 1);
      duration.observe(seconds);
    },
    bytes,
    fileDetached(result, size) {
      files(result, 1);
      fileBytes(result, size);
    },
    storageFailure: () => storageFailures.inc(),
    loop: (fence) => loops(fence, 1),
    clients: gauge('clients', 'Open client connections.'),
    nextHopSessions(openCount, idleCount) {
      open(openCount);
      idle(idleCount);
    },
    spool: gauge('spool_bytes', 'Bytes in the spool directory.'),
  };
  return { meter, registry };
}

interface Name {
  readonly name: string;
  readonly help: string;
}

/** The series of a counter: one for each value of its label. */
interface Series<V extends string> {
  readonly label: string;
  readonly values: readonly V[];
  readonly others?: Readonly<Record<string, string>>;
}

/** @returns adds to the series of a value */
function count<V extends string>(
  registry: Registry,
  name: Name,
  { label, values, others = {} }: Series<V>,
): (value: V, count: number) => void {
  const totals = new Map(values.map((value) => [value, 0]));
  new Counter({
    ...name,
    labelNames: [...Object.keys(others), label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, total] of totals) this.inc({ ...others, [label]: value }, total);
    },
  });
  return (value, more) => void totals.set(value, (totals.get(value) ?? 0) + more);
}

/** @returns sets the gauge */
function level(registry: Registry, name: Name): (value: number) => void {
  let current = 0;
  new Gauge({
    ...name,
    registers: [registry],
    collect() {
      this.set(current);
    },
  });
  return (value) => void (current = value);
}
