import { join } from 'node:path';
import { freePort } from '../../test/harness/ports.ts';
import { Child } from '../load/child.ts';
import type { BlobStorage } from '../load/storage.ts';
import { waitForPort } from '../load/wait-for-port.ts';
import { ours } from '../measure/figure.ts';
import { startDetachMta } from './detach-mta.ts';
import type { Peer } from './peer.ts';
import { startPostfixRelay } from './postfix.ts';

export const acceptOnly = 'Postfix + a Milter that accepts';

/** The Postfix of the other workloads, with a Milter. The cost of both together is measured. */
async function behind(milter: Peer, nextHop: number, name: string): Promise<Peer> {
  const postfix = await startPostfixRelay(nextHop, {
    name,
    settings: { smtpd_milters: `inet:127.0.0.1:${milter.port}`, milter_content_timeout: '600s' },
  });
  return {
    ...postfix,
    pids: [...postfix.pids, ...milter.pids],
    stop: async () => {
      await postfix.stop();
      await milter.stop();
    },
  };
}

export async function startAcceptOnly(nextHop: number): Promise<Peer> {
  const port = await freePort();
  const script = join(import.meta.dirname, 'accept-only.ts');
  const child = new Child([process.execPath, '--import', 'tsx', script, String(port)]);
  await waitForPort(port);
  const milter = { name: acceptOnly, port, pids: [child.pid], stop: () => child.stop() };
  return behind(milter, nextHop, acceptOnly);
}

/** Detach MTA as the Milter of that Postfix. */
export async function startAsMilter(nextHop: number, storage: BlobStorage): Promise<Peer> {
  return behind(await startDetachMta({ nextHop, storage, protocol: 'milter' }), nextHop, ours);
}
