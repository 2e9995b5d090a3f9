/** The UNIX socket of a Milter, made by the supervisor like the sockets of addresses, with its owner's permissions. */
import { chmod, chown, lstat, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';

export interface SocketFile {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** Name of a group. */
  readonly group: string | undefined;
}

const unixPrefix = 'unix:';

/** The path in `unix:/path`; undefined for an address of the network. */
export const socketPath = (address: string): string | undefined =>
  address.startsWith(unixPrefix) ? address.slice(unixPrefix.length) : undefined;

/** Takes away a socket that a killed process left behind. One that somebody answers on, or another file, stays. */
export async function clearSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() === true && !(await answers(path))) await rm(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('error', () => resolve(false));
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
  });
}

/** Before anybody listens, and so before anybody can connect. @throws the system's error, or one that names the group */
export async function protectSocket({ path, mode, group }: SocketFile): Promise<void> {
  if (group !== undefined) await chown(path, -1, await groupId(group));
  await chmod(path, mode);
}

async function groupId(name: string): Promise<number> {
  const entry = (await readFile('/etc/group', 'utf8')).split('\n').find((line) => line.startsWith(`${name}:`));
  const id = Number(entry?.split(':')[2]);
  if (entry === undefined || !Number.isSafeInteger(id))
    throw new Error(`inbound.socketGroup: there is no group ${name} on this machine`);
  return id;
}
