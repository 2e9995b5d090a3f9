import { startSmtpSink } from '../../load/smtp-sink.ts';
import { smtpSource } from '../../load/smtp-source.ts';
import { startStorage } from '../../load/storage.ts';
import { peakMemory } from '../../measure/process-tree.ts';
import { timed } from '../../measure/timed.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, mebibyte, withStarted } from '../workload.ts';
import { transfer } from '../transfer.ts';
import { compare } from './variants.ts';

/** `workers` of Detach MTA. */
export const workers = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const sink = await use(startSmtpSink());
    const storage = await use(startStorage('null'));
    const start = (count: number) => use(startDetachMta({ nextHop: sink.port, storage, workers: count }));
    const values = { 1: await start(1), 2: await start(2), 4: await start(4) };
    const messages = bench.quick ? 1000 : 5000;
    const mail = { messages, sessions: 20, recipients: 1, keepOpen: true };
    for (const peer of Object.values(values)) await smtpSource(peer.port, { ...mail, messages: 1000 });
    await compare(bench, {
      situation: 'Detach MTA: workers, small mail',
      values,
      measure: async (peer) => {
        const { wall, cpu } = await timed(peer.pids, () => smtpSource(peer.port, mail));
        return { 'messages/s': messages / wall, 'CPU s/1000 messages': (cpu / messages) * 1000 };
      },
    });
    const load = { size: 5 * mebibyte, parallel: 8, count: bench.quick ? 16 : 60 };
    await compare(bench, {
      situation: 'Detach MTA: workers, files of 5 MiB, 8 at a time',
      values,
      measure: async (peer) => {
        const { wall } = await transfer(peer, sink, load);
        return { 'MB/s': (load.size * load.count) / 1e6 / wall, 'peak MB': peakMemory(peer.pids) / 1e6 };
      },
    });
  });
