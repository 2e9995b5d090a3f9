import { Counter, type Registry } from 'prom-client';
import { failureNames, failureReply } from '../smtp/failures.ts';
import { isTransient } from '../smtp/reply.ts';
import type { Meter } from './interface.ts';
import { labelledCounter } from './labelled-counter.ts';

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
