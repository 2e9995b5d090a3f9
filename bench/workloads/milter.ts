import { type SmtpSink, startSmtpSink } from '../load/smtp-sink.ts';
import { smtpSource } from '../load/smtp-source.ts';
import { startStorage } from '../load/storage.ts';
import type { Metric } from '../measure/figure.ts';
import { type Cost, timed } from '../measure/timed.ts';
import { startMimeDefang } from '../peers/mimedefang.ts';
import { startAcceptOnly, startAsMilter } from '../peers/milters.ts';
import type { Peer } from '../peers/peer.ts';
import { startPostfixRelay } from '../peers/postfix.ts';
import { describeTransfer } from './attachments.ts';
import { transfer, transferOf } from './transfer.ts';
import { type Bench, type Workload, mebibyte, withStarted } from './workload.ts';

const small = { sessions: 10, recipients: 1, keepOpen: true } as const;

export const smallThroughMilter = '4 KB, 10 sessions';

/** The same Postfix, alone and with each Milter; the CPU of both together. */
export const milter: Workload = {
  name: 'milter',
  title: 'As a Milter of the same Postfix, beside MIMEDefang and a Milter that only accepts',
  run: (bench) =>
    withStarted(async (use) => {
      const sink = await use(startSmtpSink());
      const storage = await use(startStorage('null'));
      const alone = await use(startPostfixRelay(sink.port));
      const detach = await use(startAsMilter(sink.port, storage));
      const defang = await use(startMimeDefang(sink.port));
      const accepting = await use(startAcceptOnly(sink.port));
      for (const peer of [alone, defang, detach, accepting]) {
        bench.progress(`milter, warming up: ${peer.name}`);
        await transfer(peer, sink, transferOf(100 * mebibyte, { size: 8 * mebibyte, parallel: 1 }));
        await smallMail({ peer, sink, messages: bench.quick ? 500 : 2000 });
      }
      for (let round = 1; round <= bench.rounds; round++) {
        for (const size of [5, 25]) {
          bench.progress(`milter, round ${round}: ${size} MiB`);
          await files(bench, { sink, alone, peers: [detach, defang, accepting], size: size * mebibyte });
        }
        // In turn, so that a disturbance of the machine affects both.
        for (const peer of [detach, accepting, accepting, detach]) {
          bench.progress(`milter, round ${round}: ${smallThroughMilter}, ${peer.name}`);
          const messages = bench.quick ? 400 : 1500;
          const { wall, cpu } = await smallMail({ peer, sink, messages });
          record(bench, { situation: smallThroughMilter, peer, metric: 'messages/s', value: messages / wall });
          const each = (cpu / messages) * 1000;
          record(bench, { situation: smallThroughMilter, peer, metric: 'CPU s/1000 messages', value: each });
        }
      }
    }),
};

async function files(
  bench: Bench,
  run: { readonly sink: SmtpSink; readonly alone: Peer; readonly peers: readonly Peer[]; readonly size: number },
): Promise<void> {
  const load = transferOf((bench.quick ? 75 : 250) * mebibyte, { size: run.size, parallel: 1 });
  const bytes = load.size * load.count;
  const situation = describeTransfer(load);
  let base = 0;
  for (const peer of [run.alone, ...run.peers]) {
    await bench.attempt(`${situation}, ${peer.name}`, async () => {
      const { wall, cpu } = await transfer(peer, run.sink, load);
      const cost = (cpu / bytes) * 1e9;
      record(bench, { situation, peer, metric: 'MB/s', value: bytes / 1e6 / wall });
      record(bench, { situation, peer, metric: 'CPU s/GB', value: cost });
      if (peer === run.alone) base = cost;
      else record(bench, { situation, peer, metric: 'added CPU s/GB', value: cost - base });
    });
  }
}

function smallMail(run: { readonly peer: Peer; readonly sink: SmtpSink; readonly messages: number }): Promise<Cost> {
  const before = run.sink.messages;
  return timed(run.peer.pids, async () => {
    await smtpSource(run.peer.port, { ...small, messages: run.messages });
    await run.sink.waitForMessages(before + run.messages);
  });
}

function record(
  bench: Bench,
  figure: { readonly situation: string; readonly peer: Peer; readonly metric: Metric; readonly value: number },
): void {
  const { situation, peer, metric, value } = figure;
  bench.record({ work: 'milter', situation, peer: peer.name, metric, value });
}
