import { collectDefaultMetrics, Counter, Registry } from 'prom-client';
import { fileMeter } from './file-meter.ts';
import type { Meter } from './interface.ts';
import { mailMeter, transactionMeter } from './mail-meter.ts';
import { openMeter } from './open-meter.ts';
import { keepDefault } from './process-figures.ts';
import { readerMeter } from './reader-meter.ts';
import { storageMeter } from './storage-meter.ts';

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
  const meter: Meter = {
    ...transactionMeter(registry),
    ...mailMeter(registry),
    ...fileMeter(registry),
    ...readerMeter(registry),
    ...openMeter(registry),
    storageRequest: storageMeter(registry),
    loop: loopMeter(registry, cluster),
  };
  return { meter, registry };
}

function loopMeter(registry: Registry, cluster: string): Meter['loop'] {
  const loops = new Counter({
    name: 'detach_mta_loops_total',
    help: 'Mail loops met, by the fence that caught them.',
    labelNames: ['cluster', 'fence'],
    registers: [registry],
  });
  for (const fence of ['stamp', 'count', 'mirror', 'chain']) loops.inc({ cluster, fence }, 0);
  return (fence) => loops.inc({ cluster, fence });
}
