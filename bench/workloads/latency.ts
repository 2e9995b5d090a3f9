import { startPostfix } from '../../test/harness/postfix.ts';
import { smallMessage } from '../load/message.ts';
import { SmtpClient } from '../load/smtp-client.ts';
import { startSmtpSink } from '../load/smtp-sink.ts';
import { smallMailSize } from '../load/smtp-source.ts';
import { startStorage } from '../load/storage.ts';
import { quantile } from '../measure/statistics.ts';
import { startForwarder } from '../peers/bare-forwarder.ts';
import { startBuilds, startDetachMta } from '../peers/detach-mta.ts';
import { startHaraka } from '../peers/haraka.ts';
import type { Peer } from '../peers/peer.ts';
import { type Bench, type Workload, withStarted } from './workload.ts';

export const latency: Workload = {
  name: 'latency',
  title: 'Latency added to a small mail, from MAIL to the reply to the final dot',
  async run(bench) {
    await withStarted(async (use) => {
      const sink = await use(startSmtpSink());
      const storage = await use(startStorage('null'));
      await rounds(bench, {
        situation: 'next hop smtp-sink',
        direct: sink.port,
        peers: [
          ...(await Promise.all(startBuilds({ nextHop: sink.port, storage }, bench.builds).map(use))),
          ...(bench.buildsOnly ? [] : [await use(startForwarder(sink.port)), await use(startHaraka(sink.port))]),
        ],
      });
    });
    if (bench.buildsOnly) return;
    await withStarted(async (use) => {
      const b = await use(
        startPostfix({
          dir: 'postfix-b',
          settings: { virtual_mailbox_maps: 'static:all', virtual_transport: 'discard:' },
        }),
      );
      const storage = await use(startStorage('null'));
      await rounds(bench, {
        situation: 'next hop Postfix B',
        direct: b.port,
        peers: [await use(startDetachMta({ nextHop: b.port, storage }))],
      });
    });
  },
};

interface Setup {
  readonly situation: string;
  readonly direct: number;
  readonly peers: readonly Peer[];
}

async function rounds(bench: Bench, { situation, direct, peers }: Setup): Promise<void> {
  const count = bench.quick ? 300 : 1000;
  const targets = [{ name: 'direct', port: direct }, ...peers];
  for (let round = 0; round <= bench.rounds; round++) {
    bench.progress(`latency, round ${round}: ${situation}`);
    const times = await interleaved(targets, count);
    // The first round warms up the compilers.
    if (round > 0) record(bench, situation, times);
  }
}

/**
 * Sends one message to each peer in turn, so that a disturbance of the machine affects all. Milliseconds, ascending.
 */
async function interleaved(
  targets: readonly { readonly name: string; readonly port: number }[],
  count: number,
): Promise<Map<string, number[]>> {
  const lanes = await Promise.all(
    targets.map(async ({ name, port }) => ({ name, client: await SmtpClient.open(port), times: [] as number[] })),
  );
  for (let i = 0; i < count; i++) {
    for (const lane of lanes) {
      const message = smallMessage(smallMailSize);
      const start = process.hrtime.bigint();
      await lane.client.send(message);
      lane.times.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  }
  await Promise.all(lanes.map(({ client }) => client.quit()));
  return new Map(lanes.map(({ name, times }) => [name, times.sort((a, b) => a - b)]));
}

function record(bench: Bench, situation: string, times: ReadonlyMap<string, readonly number[]>): void {
  const direct = times.get('direct') ?? [];
  for (const [peer, sorted] of times) {
    const base = { work: 'latency', situation, peer };
    bench.record({ ...base, metric: 'p50 ms', value: quantile(sorted, 0.5) });
    bench.record({ ...base, metric: 'p99 ms', value: quantile(sorted, 0.99) });
    if (peer === 'direct') continue;
    bench.record({ ...base, metric: 'added p50 ms', value: quantile(sorted, 0.5) - quantile(direct, 0.5) });
    bench.record({ ...base, metric: 'added p99 ms', value: quantile(sorted, 0.99) - quantile(direct, 0.99) });
  }
}
