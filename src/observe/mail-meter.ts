import { Counter, Histogram, type Registry } from 'prom-client';
import { failureNames, failureReply } from '../smtp/failures.ts';
import { isTransient } from '../smtp/reply.ts';
import type { Meter } from './interface.ts';
import { labelledCounter } from './labelled-counter.ts';

/** From a small mail on one machine to the time that Postfix waits for the reply to the final dot. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];

/** Figures of transactions: how they ended, and how much they carried. */
export function transactionMeter(registry: Registry): Pick<Meter, 'transaction' | 'bytes'> {
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
  return {
    transaction(outcome, seconds) {
      transactions.inc({ outcome });
      duration.observe(seconds);
    },
    bytes: (direction, count) => bytes.inc({ direction }, count),
  };
}

/** Figures of recipients, and why mail waits. */
export function mailMeter(registry: Registry): Pick<Meter, 'recipients' | 'deferred' | 'saved'> {
  const recipients = labelledCounter(registry, {
    name: 'recipients_total',
    help: 'Recipients by the class of their last reply.',
    label: 'verdict',
    values: ['accepted', 'deferred', 'refused'],
  });
  const deferred = labelledCounter(registry, {
    name: 'deferred_total',
    help: 'Transactions deferred, by the failure of ours or as the next hop answered.',
    label: 'reason',
    values: ['nextHop', ...failureNames.filter((name) => isTransient(failureReply(name)))],
  });
  const saved = new Counter({
    name: 'detach_mta_saved_bytes_total',
    help: 'Bytes taken out of messages, once for each recipient: what mailboxes do not hold.',
    registers: [registry],
  });
  return {
    recipients: (verdict, count) => recipients.inc({ verdict }, count),
    deferred: (reason) => deferred.inc({ reason }),
    saved: (bytes) => saved.inc(bytes),
  };
}
