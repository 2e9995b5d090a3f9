import { type SmtpSink, startSmtpSink } from '../load/smtp-sink.ts';
import { type BlobStorage, startStorage } from '../load/storage.ts';
import { peakMemory } from '../measure/process-tree.ts';
import { startForwarder } from '../peers/bare-forwarder.ts';
import { thisCheckout } from '../peers/builds.ts';
import { startDetachMta } from '../peers/detach-mta.ts';
import { startMimeDefang } from '../peers/mimedefang.ts';
import type { Peer } from '../peers/peer.ts';
import { describeTransfer } from './attachments.ts';
import { transfer } from './transfer.ts';
import { type Bench, type Workload, mebibyte, withStarted } from './workload.ts';

/** A peak can only be read for the whole life of a process, so each measurement starts a new process. */
export const memory: Workload = {
  name: 'memory',
  title: 'Peak memory by size of the attachment and by parallel messages',
  run: (bench) =>
    withStarted(async (use) => {
      const sink = await use(startSmtpSink());
      const storage = await use(startStorage('null'));
      for (let round = 1; round <= bench.rounds; round++) {
        for (const { size, parallel } of shapes(bench.quick)) {
          for (const start of starters(bench, { sink, storage, mebibytes: size * parallel })) {
            const load = { size: size * mebibyte, parallel, count: 2 * parallel };
            await bench.attempt(describeTransfer(load), () => measure(bench, { start, sink, load, round }));
          }
        }
      }
    }),
};

function shapes(quick: boolean): { readonly size: number; readonly parallel: number }[] {
  return [
    ...(quick ? [1, 25, 100] : [1, 25, 100, 1000]).map((size) => ({ size, parallel: 1 })),
    ...(quick ? [20] : [10, 20, 50]).map((parallel) => ({ size: 25, parallel })),
  ];
}

/** Programs that hold whole messages in memory do not get the largest loads, which the machine could not carry. */
function starters(
  { builds, buildsOnly }: Bench,
  { sink, storage, mebibytes }: { readonly sink: SmtpSink; readonly storage: BlobStorage; readonly mebibytes: number },
): (() => Promise<Peer>)[] {
  const options = { nextHop: sink.port, storage };
  const ours = [thisCheckout, ...builds].map((build) => () => startDetachMta({ ...options, build }));
  if (buildsOnly || mebibytes > 250) return ours;
  return [...ours, () => startForwarder(sink.port, { detach: true }), () => startMimeDefang(sink.port)];
}

interface Run {
  readonly start: () => Promise<Peer>;
  readonly sink: SmtpSink;
  readonly load: { readonly size: number; readonly parallel: number; readonly count: number };
  readonly round: number;
}

function measure(bench: Bench, { start, sink, load, round }: Run): Promise<void> {
  return withStarted(async (use) => {
    const peer = await use(start());
    const situation = describeTransfer(load);
    bench.progress(`memory, round ${round}: ${situation}, ${peer.name}`);
    await transfer(peer, sink, load);
    bench.record({ work: 'memory', situation, peer: peer.name, metric: 'peak MB', value: peakMemory(peer.pids) / 1e6 });
  });
}
