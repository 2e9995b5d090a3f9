import { type SmtpSink, startSmtpSink } from '../load/smtp-sink.ts';
import { startStorage } from '../load/storage.ts';
import { ours } from '../measure/figure.ts';
import { startForwarder } from '../peers/bare-forwarder.ts';
import { startBuilds, startDetachMta } from '../peers/detach-mta.ts';
import { startMimeDefang } from '../peers/mimedefang.ts';
import type { Peer } from '../peers/peer.ts';
import { startPostfixRelay } from '../peers/postfix.ts';
import { type Transfer, transfer, transferOf } from './transfer.ts';
import { measureUnavoidable } from './unavoidable.ts';
import { type Bench, type Workload, mebibyte, withStarted } from './workload.ts';

/** The relay alone, compared with the unavoidable parts of its work. */
export const detaching: Workload = {
  name: 'detaching',
  title: 'Attachments detached by the relay alone; storage throws them away',
  run: (bench) =>
    withStarted(async (use) => {
      const sink = await use(startSmtpSink());
      const storage = await use(startStorage('null'));
      const peers = [
        ...(await Promise.all(startBuilds({ nextHop: sink.port, storage }, bench.builds).map(use))),
        ...(bench.buildsOnly ? [] : [await use(startForwarder(sink.port, { detach: true }))]),
      ];
      const bytes = (bench.quick ? 150 : 500) * mebibyte;
      for (const peer of peers) await warmUp(peer, sink);
      await inRounds(bench, async (round, shape) => {
        const load = transferOf(bytes, shape);
        await measureUnavoidable(bench, { situation: describeTransfer(load), ...load });
        for (const peer of peers) {
          bench.progress(`detaching, round ${round}: ${describeTransfer(load)}, ${peer.name}`);
          await measure(bench, { work: 'detaching', peer, sink, load });
        }
      });
    }),
};

/** What the sender of mail sees: the same Postfix in front of every program. */
export const behindPostfix: Workload = {
  name: 'chain',
  title: 'Attachments detached behind the same Postfix, CPU of both together',
  run: (bench) =>
    withStarted(async (use) => {
      const sink = await use(startSmtpSink());
      const peers: Peer[] = [await use(startPostfixRelay(sink.port)), await use(startMimeDefang(sink.port))];
      for (const kind of ['azurite', 'null'] as const) {
        const storage = await use(startStorage(kind));
        const relay = await use(startDetachMta({ nextHop: sink.port, storage }));
        const name = kind === 'azurite' ? ours : `${ours}, storage discards`;
        const postfix = await use(startPostfixRelay(relay.port, { name }));
        peers.push({ ...postfix, pids: [...postfix.pids, ...relay.pids] });
      }
      const bytes = (bench.quick ? 75 : 250) * mebibyte;
      for (const peer of peers) await warmUp(peer, sink);
      await inRounds(bench, async (round, shape) => {
        const load = transferOf(bytes, shape);
        let alone = 0;
        for (const peer of peers) {
          bench.progress(`behind Postfix, round ${round}: ${describeTransfer(load)}, ${peer.name}`);
          const cost = await measure(bench, { work: 'chain', peer, sink, load });
          if (peer === peers[0]) alone = cost;
          else record(bench, { work: 'chain', peer, load, metric: 'added CPU s/GB', value: cost - alone });
        }
      });
    }),
};

export function describeTransfer({ size, parallel }: Pick<Transfer, 'size' | 'parallel'>): string {
  return `${size / mebibyte} MiB, ${parallel} parallel`;
}

async function inRounds(
  bench: Bench,
  work: (round: number, shape: { readonly size: number; readonly parallel: number }) => Promise<void>,
): Promise<void> {
  for (let round = 1; round <= bench.rounds; round++) {
    for (const size of bench.quick ? [5, 25] : [1, 5, 25, 100]) {
      for (const parallel of bench.quick ? [1] : [1, 10]) {
        await bench.attempt(`${size} MiB, ${parallel} parallel`, () =>
          work(round, { size: size * mebibyte, parallel }),
        );
      }
    }
  }
}

/** Warms up: the code is compiled and workers have started, as in a server that has been up for a while. */
async function warmUp(peer: Peer, sink: SmtpSink): Promise<void> {
  await transfer(peer, sink, transferOf(200 * mebibyte, { size: 8 * mebibyte, parallel: 1 }));
}

interface Run {
  readonly work: string;
  readonly peer: Peer;
  readonly sink: SmtpSink;
  readonly load: Transfer;
}

/** @returns CPU seconds per GB */
async function measure(bench: Bench, run: Run): Promise<number> {
  const { wall, cpu } = await transfer(run.peer, run.sink, run.load);
  const bytes = run.load.size * run.load.count;
  const cost = (cpu / bytes) * 1e9;
  record(bench, { ...run, metric: 'MB/s', value: bytes / 1e6 / wall });
  record(bench, { ...run, metric: 'CPU s/GB', value: cost });
  return cost;
}

function record(
  bench: Bench,
  figure: Pick<Run, 'work' | 'peer' | 'load'> & {
    readonly metric: 'MB/s' | 'CPU s/GB' | 'added CPU s/GB';
    readonly value: number;
  },
): void {
  const { work, metric, value } = figure;
  bench.record({ work, metric, value, situation: describeTransfer(figure.load), peer: figure.peer.name });
}
