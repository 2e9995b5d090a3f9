import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Meter } from './interface.ts';
import { labelledCounter } from './labelled-counter.ts';
import { mailMeter } from './mail-meter.ts';
import { keepDefault } from './process-figures.ts';
import { readerMeter } from './reader-meter.ts';
import { storageMeter } from './storage-meter.ts';

/** From a small mail on one machine to the time that Postfix waits for the reply to the final dot. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];

/**
 * How often each process looks at the delay of its event loop, in ms. At 10, three idle processes used 2.4 % of a slow
 * machine's processor for it. Delays from 50 ms on are those that count.
 */
const eventLoopMs = 25;

/**
 * A meter of its own, with the registry that `/metrics` serves; process metrics are in it too.
 * Every series exists from the start at 0: a rate over a series that appears with its first event misses that event.
 */
export function createMeter(cluster: string): { readonly meter: Meter; readonly registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopMs });
  keepDefault(registry);
  const transactions = labelledCounter(registry, {
    name: 'transactions_total',
    help: 'Mail transactions by how they ended.',
    label: 'outcome',
    values: ['delivered', 'partial', 'deferred', 'refused', 'lost'],
  });
  const duration = new Histogram({
    name: 'detach_mta_transaction_duration_seconds',
    help: 'Time from MAIL to the last reply of a transaction.',
    buckets: durationBuckets,
    registers: [registry],
  });
  const bytes = labelledCounter(registry, {
    name: 'message_bytes_total',
    help: 'Bytes of messages received and sent on.',
    label: 'direction',
    values: ['in', 'out'],
  });
  const files = labelledCounter(registry, {
    name: 'files_detached_total',
    help: 'Files moved to storage, by whether storage had them already.',
    label: 'result',
    values: ['stored', 'present'],
  });
  const fileBytes = labelledCounter(registry, {
    name: 'files_detached_bytes_total',
    help: 'Decoded bytes of files moved to storage.',
    label: 'result',
    values: ['stored', 'present'],
  });
  const loops = new Counter({
    name: 'detach_mta_loops_total',
    help: 'Mail loops met, by the fence that caught them.',
    labelNames: ['cluster', 'fence'],
    registers: [registry],
  });
  for (const fence of ['stamp', 'count', 'mirror', 'chain']) loops.inc({ cluster, fence }, 0);
  const storageFailures = new Counter({
    name: 'detach_mta_storage_failures_total',
    help: 'Messages whose files could not be stored.',
    registers: [registry],
  });
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `detach_mta_${name}`, help, registers: [registry] });
  const clients = gauge('clients', 'Open client connections.');
  const corruptFiles = new Counter({
    name: 'detach_mta_files_corrupt_total',
    help: 'Downloads cut because the stored bytes were not those that were stored.',
    registers: [registry],
  });
  const busyReaders = new Counter({
    name: 'detach_mta_readers_busy_total',
    help: 'Requests of readers answered with 503 because too many came at once.',
    registers: [registry],
  });
  const open = gauge('next_hop_sessions', 'Open sessions with the next hop.');
  const idle = gauge('next_hop_sessions_idle', 'Open sessions with the next hop that no transaction uses.');
  const spool = gauge('spool_bytes', 'Bytes in the spool directory.');

  const meter: Meter = {
    ...mailMeter(registry),
    storageRequest: storageMeter(registry),
    transaction(outcome, seconds) {
      transactions.inc({ outcome });
      duration.observe(seconds);
    },
    bytes: (direction, count) => bytes.inc({ direction }, count),
    fileDetached(result, size) {
      files.inc({ result });
      fileBytes.inc({ result }, size);
    },
    storageFailure: () => storageFailures.inc(),
    fileCorrupt: () => corruptFiles.inc(),
    readerBusy: () => busyReaders.inc(),
    loop: (fence) => loops.inc({ cluster, fence }),
    clients: (count) => clients.set(count),
    nextHopSessions(openCount, idleCount) {
      open.set(openCount);
      idle.set(idleCount);
    },
    spool: (size) => spool.set(size),
    ...readerMeter(registry),
  };
  return { meter, registry };
}
