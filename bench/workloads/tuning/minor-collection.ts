import { type SmtpSink, startSmtpSink } from '../../load/smtp-sink.ts';
import { type BlobStorage, startStorage } from '../../load/storage.ts';
import { peakMemory } from '../../measure/process-tree.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, mebibyte, withStarted } from '../workload.ts';
import { transfer } from '../transfer.ts';
import { compare, type Measured } from './variants.ts';

/** Without `gc`, V8 collects when it thinks fit (src/runtime/minor-collection.ts). */
const off = '--import=data:text/javascript,globalThis.gc=undefined';

/** Collecting short-lived memory early. A peak is that of a whole life, so each measurement starts a process. */
export const minorCollection = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const sink = await use(startSmtpSink());
    const storage = await use(startStorage('null'));
    await compare(bench, {
      situation: 'Detach MTA: minor collection, files of 25 MiB, 4 at a time',
      values: { 'on, as it is': {}, off: { nodeOptions: off } },
      measure: (options) => inItsOwn({ sink, storage, options }, bench.quick ? 12 : 40),
    });
  });

interface Place {
  readonly sink: SmtpSink;
  readonly storage: BlobStorage;
  readonly options: { readonly nodeOptions?: string };
}

async function inItsOwn({ sink, storage, options }: Place, count: number): Promise<Measured> {
  let measured: Measured = {};
  await withStarted(async (use) => {
    const peer = await use(startDetachMta({ nextHop: sink.port, storage, ...options }));
    const load = { size: 25 * mebibyte, parallel: 4, count };
    const { cpu } = await transfer(peer, sink, load);
    measured = { 'peak MB': peakMemory(peer.pids) / 1e6, 'CPU s/GB': (cpu / (load.size * count)) * 1e9 };
  });
  return measured;
}
