import type { Bench, Workload } from '../workload.ts';
import { connectionCache } from './connection-cache.ts';
import { concurrency } from './concurrency.ts';
import { minSize } from './min-size.ts';
import { minorCollection } from './minor-collection.ts';
import { outage } from './outage.ts';
import { pool } from './pool.ts';
import { recipients } from './recipients.ts';
import { spool } from './spool.ts';
import { encryption } from './encryption.ts';
import { workers } from './workers.ts';

const settings = {
  concurrency,
  connectionCache,
  recipients,
  encryption,
  workers,
  pool,
  spool,
  minorCollection,
  outage,
  minSize,
};

export const tuning: Workload = {
  name: 'tuning',
  title: 'What settings change, one at a time',
  async run(bench: Bench) {
    for (const [name, measure] of Object.entries(settings)) {
      bench.progress(`tuning: ${name}`);
      await bench.attempt(name, () => measure(bench));
    }
  },
};
