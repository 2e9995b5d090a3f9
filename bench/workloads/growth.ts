import { type Message, attachmentMessage, smallMessage, structuredMessage } from '../load/message.ts';
import { sendAll } from '../load/smtp-client.ts';
import { type SmtpSink, startSmtpSink } from '../load/smtp-sink.ts';
import { startStorage } from '../load/storage.ts';
import { timed } from '../measure/timed.ts';
import { startDetachMta } from '../peers/detach-mta.ts';
import type { Peer } from '../peers/peer.ts';
import { type Bench, type Workload, mebibyte, withStarted } from './workload.ts';

interface Dimension {
  readonly what: string;
  /** The smaller size; the larger one is ten times that. */
  readonly base: number;
  /** Messages of the larger size in one measurement. */
  readonly count: number;
  readonly make: (size: number) => Message;
  readonly recipients?: (size: number) => number;
}

const dimensions: readonly Dimension[] = [
  { what: 'recipients', base: 50, count: 20, make: () => smallMessage(4096), recipients: (size) => size },
  { what: 'parts', base: 500, count: 20, make: (parts) => structuredMessage({ parts, fields: 0 }) },
  { what: 'header fields', base: 500, count: 40, make: (fields) => structuredMessage({ parts: 1, fields }) },
  // Both above the size up to which a message stays in memory.
  { what: 'bytes of text', base: 2 * mebibyte, count: 3, make: (size) => smallMessage(size) },
  { what: 'bytes of a file', base: 10 * mebibyte, count: 3, make: (size) => attachmentMessage(size) },
];

export const growth: Workload = {
  name: 'growth',
  title: 'How the CPU time of a message grows when it has ten times as much of something',
  run: (bench) =>
    withStarted(async (use) => {
      const sink = await use(startSmtpSink());
      const storage = await use(startStorage('null'));
      const relay = await use(startDetachMta({ nextHop: sink.port, storage }));
      // The first round warms up: otherwise only the larger size would run compiled code, and seem cheaper.
      for (let round = 0; round <= bench.rounds; round++) {
        for (const dimension of dimensions) {
          bench.progress(`growth, round ${round}: ${dimension.what}`);
          await bench.attempt(dimension.what, () => measure(bench, { dimension, relay, sink, warmUp: round === 0 }));
        }
      }
    }),
};

interface Run {
  readonly dimension: Dimension;
  readonly relay: Peer;
  readonly sink: SmtpSink;
  readonly warmUp: boolean;
}

async function measure(bench: Bench, run: Run): Promise<void> {
  const { what, base, count } = run.dimension;
  const small = await cpuPerMessage(run, base, count * 10);
  const large = await cpuPerMessage(run, base * 10, count);
  if (run.warmUp) return;
  const situation = `${base * 10} instead of ${base} ${what}`;
  bench.record({ work: 'growth', situation, peer: run.relay.name, metric: 'growth', value: large / small });
  bench.record({
    work: 'growth',
    situation,
    peer: run.relay.name,
    metric: 'CPU s/1000 messages',
    value: large * 1000,
  });
}

async function cpuPerMessage({ dimension, relay, sink }: Run, size: number, count: number): Promise<number> {
  const before = sink.messages;
  const recipients = dimension.recipients?.(size) ?? 1;
  const { cpu } = await timed(relay.pids, async () => {
    await sendAll(relay.port, { make: () => dimension.make(size), count, parallel: 1, recipients });
    await sink.waitForMessages(before + count);
  });
  return cpu / count;
}
