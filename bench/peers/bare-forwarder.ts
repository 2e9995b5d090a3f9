import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/harness/ports.ts';
import { privateDirectory, removeDirectory } from '../../test/harness/private-directory.ts';
import { waitForPort } from '../load/wait-for-port.ts';
import { type Peer, Program } from './peer.ts';

/** `forwarder.ts` as a process: passes mail on, or replaces attachments by links when `detach` is set. */
export async function startForwarder(nextHop: number, { detach = false } = {}): Promise<Peer> {
  const home = privateDirectory('forwarder');
  const port = await freePort();
  const files = join(home, 'files');
  mkdirSync(files);
  const script = join(import.meta.dirname, 'forwarder.ts');
  const server = new Program(
    [process.execPath, '--import', 'tsx', script, String(port), String(nextHop), ...(detach ? [files] : [])],
    { log: join(home, 'log') },
  );
  await waitForPort(port);
  return {
    name: detach ? 'smtp-server + mailparser + nodemailer' : 'smtp-server + nodemailer',
    port,
    pids: [server.pid],
    stop: async () => {
      await server.stop();
      removeDirectory(home);
    },
  };
}
