import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Meter } from './interface.ts';

/** From a small mail on one machine to Postfix's patience with the final dot. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];

const outcomes = ['delivered', 'partial', 'deferred', 'refused', 'lost'] as const;
const directions = ['in', 'out'] as const;
const fileResults = ['stored', 'present'] as const;
const fences = ['stamp', 'count', 'mirror', 'chain'] as const;

/**
 * A meter of its own, with the registry that `/metrics` serves; process metrics are in it too.
 * Every series exists from the start at 0: a rate over a series that appears with its first event misses that event.
 */
export function createMeter(cluster: string): { readonly meter: Meter; readonly registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Counter<T> =>
    new Counter({ name: `detach_mta_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `detach_mta_${name}`, help, registers });

  const transactions = perLabel(
    outcomes,
    counter('transactions_total', 'Mail transactions by how they ended.', ['outcome']),
    'outcome',
  );
  const duration = new Histogram({
    name: 'detach_mta_transaction_duration_seconds',
    help: 'Time from MAIL to the last reply of a transaction.',
    buckets: durationBuckets,
    registers,
  });
  const bytes = perLabel(
    directions,
    counter('message_bytes_total', 'Bytes of messages received and sent on.', ['direction']),
    'direction',
  );
  const files = perLabel(
    fileResults,
    counter('files_detached_total', 'Files moved to storage, by whether storage had them already.', ['result']),
    'result',
  );
  const fileBytes = perLabel(
    fileResults,
    counter('files_detached_bytes_total', 'Decoded bytes of files moved to storage.', ['result']),
    'result',
  );
  const loops = perLabel(
    fences,
    counter('loops_total', 'Mail loops met, by the fence that caught them.', ['cluster', 'fence']),
    'fence',
    { cluster },
  );
  const storageFailures = counter('storage_failures_total', 'Messages whose files could not be stored.');
  const clients = gauge('clients', 'Open client connections.');
  const open = gauge('next_hop_sessions', 'Open sessions with the next hop.');
  const idle = gauge('next_hop_sessions_idle', 'Open sessions with the next hop that no transaction uses.');
  const spool = gauge('spool_bytes', 'Bytes in the spool directory.');

  const meter: Meter = {
    transaction(outcome, seconds) {
      transactions[outcome].inc();
      duration.observe(seconds);
    },
    bytes: (direction, count) => bytes[direction].inc(count),
    fileDetached(result, count) {
      files[result].inc();
      fileBytes[result].inc(count);
    },
    storageFailure: () => storageFailures.inc(),
    loop: (fence) => loops[fence].inc(),
    clients: (count) => clients.set(count),
    nextHopSessions(openCount, idleCount) {
      open.set(openCount);
      idle.set(idleCount);
    },
    spool: (count) => spool.set(count),
  };
  return { meter, registry };
}

/** The series of a counter by the value of one label, looked up once instead of with every event. */
function perLabel<const V extends string, L extends string>(
  values: readonly V[],
  counter: Counter<L>,
  label: NoInfer<L>,
  others: Partial<Record<NoInfer<L>, string>> = {},
): Record<V, Counter.Internal> {
  const series = values.map((value) => {
    const labels = { ...others, [label]: value } as Record<L, string>;
    counter.inc(labels, 0);
    return [value, counter.labels(labels)] as const;
  });
  return Object.fromEntries(series) as Record<V, Counter.Internal>;
}
