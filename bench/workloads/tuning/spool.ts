import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startSmtpSink } from '../../load/smtp-sink.ts';
import { startStorage } from '../../load/storage.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, mebibyte, withStarted } from '../workload.ts';
import { transfer } from '../transfer.ts';
import { distantMs } from './concurrency.ts';
import { compare } from './variants.ts';

/** `spool.directory`: in memory or on the disk of this machine. */
export const spool = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const sink = await use(startSmtpSink());
    const storage = await use(startStorage('null', { delayMs: distantMs }));
    const start = async (parent: string) => {
      const directory = mkdtempSync(join(parent, 'detach-mta-bench-'));
      await use(Promise.resolve({ stop: () => rm(directory, { recursive: true }) }));
      return use(startDetachMta({ nextHop: sink.port, storage, settings: { spool: { directory } } }));
    };
    const values = { 'on a disk (/var/tmp)': await start('/var/tmp'), 'in memory (/dev/shm)': await start('/dev/shm') };
    const load = { size: 25 * mebibyte, parallel: 4, count: bench.quick ? 8 : 24 };
    for (const peer of Object.values(values)) await transfer(peer, sink, load);
    await compare(bench, {
      situation: `Detach MTA: spool, files of 25 MiB, 4 at a time, storage answers after ${distantMs} ms`,
      values,
      measure: async (peer) => {
        const { wall, cpu } = await transfer(peer, sink, load);
        const bytes = load.size * load.count;
        return { 'MB/s': bytes / 1e6 / wall, 'CPU s/GB': (cpu / bytes) * 1e9 };
      },
    });
  });
