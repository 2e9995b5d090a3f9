import { Counter, Histogram, type Registry } from 'prom-client';
import type { Meter } from './interface.ts';

/** From a record on a disk of this machine to an upload over a slow line. */
const buckets = [0.002, 0.01, 0.05, 0.2, 1, 5, 15, 60, 300];

/** How often storage is asked, how long it takes, and whether it can do what it is asked. */
export function storageMeter(registry: Registry): Meter['storageRequest'] {
  const requests = new Counter({
    name: 'detach_mta_storage_requests_total',
    help: 'Operations on storage by kind and result; that something is not there is no failure.',
    labelNames: ['operation', 'result'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'detach_mta_storage_request_duration_seconds',
    help: 'Time of operations on storage: of reading, until the first byte.',
    labelNames: ['operation'],
    buckets,
    registers: [registry],
  });
  for (const operation of ['look', 'read', 'create', 'change', 'delete']) {
    for (const result of ['ok', 'failed']) requests.inc({ operation, result }, 0);
    durations.zero({ operation });
  }
  return (operation, { result, seconds }) => {
    requests.inc({ operation, result });
    durations.observe({ operation }, seconds);
  };
}
