import { lookup } from 'node:dns/promises';
import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { codeOf } from '../../smtp/failures.ts';
import { hostPort } from '../../smtp/host-port.ts';
import { fail, type Found, ok } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import type { ListeningPort } from './listening-ports.ts';

type Wanted = Readonly<Record<'address', string>> & { readonly key: string; readonly port: number };

/** Whether the ports of the service are its own, or free. */
export const ports: Check = {
  name: 'ports',
  run: async (context) => {
    const { inbound, links, metrics } = context.config;
    const wanted = [
      { key: 'inbound', ...inbound },
      { key: 'links', ...links },
      { key: 'metrics', ...metrics },
    ];
    return Promise.all(wanted.map((each) => look(each, context)));
  },
};

async function look(wanted: Wanted, { listening }: Context): Promise<Found> {
  if (wanted.address.startsWith('unix:')) return lookAtFolder(wanted.address.slice('unix:'.length));
  const where = `${wanted.key}.port ${hostPort(wanted.address, wanted.port)}`;
  const holder = listening.find((each) => wanted.port !== 0 && each.port === wanted.port && overlaps(each, wanted));
  if (!holder) return tryIt(wanted, where);
  if (isService(holder)) return ok(`${where} is held by the service (pid ${holder.owner?.pid ?? 'unknown'})`);
  return fail(
    `${where} is taken by ${describe(holder)}`,
    `stop that program, or give ${wanted.key}.port another number`,
  );
}

function describe({ owner, uid }: Pick<ListeningPort, 'owner' | 'uid'>): string {
  return owner ? `pid ${owner.pid} (${programOf(owner.command)})` : `a program of user ${uid}`;
}

/** Arguments may hold secrets of others: only the program is named, and the script that it runs. */
function programOf(command: string): string {
  const [program = '', script = ''] = command.split(' ');
  return script.startsWith('/') ? `${basename(program)} ${basename(script)}` : basename(program);
}

function overlaps(held: ListeningPort, { address }: Wanted): boolean {
  const all = ['0.0.0.0', '::'];
  return all.includes(held.address) || all.includes(address) || held.address === address || address === 'localhost';
}

/** Its supervisor and processes all have the sockets. */
export function isService({ owner, uid }: ListeningPort): boolean {
  if (owner) return /(?:main\.[jt]s|detach-mta\S*) serve\b|\/(?:mail|link)-process\.[jt]s/.test(owner.command);
  return uid === process.getuid?.();
}

/** Binds for a moment, without listening to anybody. */
async function tryIt({ key, address, port }: Wanted, where: string): Promise<Found> {
  try {
    const host = await lookup(address);
    await new Promise<void>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen({ host: host.address, port, exclusive: true }, () => server.close(() => resolve()));
    });
    return ok(`${where} is free`);
  } catch (error) {
    const code = codeOf(error, String(error));
    return fail(`${where} cannot be used (${code})`, adviceFor(code, key));
  }
}

function adviceFor(code: string, key: string): string {
  if (code === 'EACCES')
    return `ports below 1024 need a right: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or a ${key}.port above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${key}.address is none of this machine: name one of those that ip address shows`;
  return `give ${key}.port another number`;
}

async function lookAtFolder(path: string): Promise<Found> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return ok(`inbound.address: the socket can be made in ${folder}`);
  } catch (error) {
    const code = codeOf(error, String(error));
    return fail(
      `inbound.address: no socket can be made in ${folder} (${code})`,
      `make the folder, and give it to the user of the service`,
    );
  }
}
