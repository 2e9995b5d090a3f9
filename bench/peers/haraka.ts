import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/harness/ports.ts';
import { privateDirectory, removeDirectory } from '../../test/harness/private-directory.ts';
import { waitForPort } from '../load/wait-for-port.ts';
import { type Peer, Program } from './peer.ts';

const haraka = join(import.meta.dirname, 'haraka/node_modules/Haraka');

/** Haraka with `queue/smtp_forward`, one process, every recipient accepted, as little logging as possible. */
export async function startHaraka(nextHop: number): Promise<Peer> {
  const home = privateDirectory('haraka');
  const port = await freePort();
  for (const folder of ['config', 'plugins']) mkdirSync(join(home, folder));
  copyFileSync(join(haraka, 'config/connection.ini'), join(home, 'config/connection.ini'));
  const files = {
    'config/smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\ndaemonize=false\n`,
    'config/plugins': 'accept_all\nqueue/smtp_forward\n',
    'config/smtp_forward.ini': `host=127.0.0.1\nport=${nextHop}\n`,
    'config/me': 'haraka.example.net\n',
    'config/loglevel': 'ERROR\n',
    'plugins/accept_all.js': 'exports.hook_rcpt = (next) => next(OK);\n',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(home, name), content);
  const server = new Program([process.execPath, join(haraka, 'bin/haraka'), '-c', home], { log: join(home, 'log') });
  await waitForPort(port);
  return {
    name: 'Haraka',
    port,
    pids: [server.pid],
    stop: async () => {
      await server.stop();
      removeDirectory(home);
    },
  };
}
