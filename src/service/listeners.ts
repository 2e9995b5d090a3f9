/**
 * The listening sockets of the service, held by the supervisor, which accepts nothing on them. Its processes listen and
 * accept on duplicates: while one is replaced, connections wait in the socket's queue instead of being refused.
 *
 * Node has no public way to open a socket without accepting on it. The function used here is the one that node:cluster
 * uses for its shared handles; the contract test fails on a version of Node without it.
 */
import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import { hostPort } from '../smtp/host-port.ts';
import type { ListenAddress } from './messages.ts';
import { clearSocket, protectSocket, socketPath, type SocketFile } from './unix-socket.ts';

/** A socket of Node's own kind, as `ChildProcess.send` and `Server.listen` take it. */
export interface SocketHandle {
  close(): void;
  /** Fills in the address. @returns 0, or an error number of libuv */
  getsockname(out: { address?: string; port?: number }): number;
}

/** Port and family -1: the address is the path of a UNIX socket. @returns a negative error number of libuv when it fails */
type CreateServerHandle = (address: string, port: number, family: 4 | 6 | -1) => SocketHandle | number;

const { _createServerHandle: createServerHandle } = net as unknown as { _createServerHandle: CreateServerHandle };

export interface Listening extends ListenAddress {
  readonly handle: SocketHandle;
}

/** After a supervisor was killed, its processes keep the port until they notice. */
const takenPatienceMs = 2000;
const takenRetryMs = 50;

/** What is to be opened; mode and group are those of a UNIX socket (`unix:/path`, whose port means nothing). */
export interface WantedAddress extends ListenAddress {
  /** Group of the configuration that it stands in, for errors: `inbound`. */
  readonly key?: string;
  readonly socketMode?: number;
  readonly socketGroup?: string | undefined;
}

/** For people: `host:port`, or `unix:/path`. */
export const describeAddress = ({ address, port }: ListenAddress): string =>
  socketPath(address) === undefined ? hostPort(address, port) : address;

export class Listeners {
  /** By address as configured. */
  readonly #open = new Map<string, Listening>();

  /** The socket for this address; the one that is open already, if there is one. @throws the system's error */
  async open(wanted: WantedAddress, signal: AbortSignal): Promise<Listening> {
    const key = describeAddress(wanted);
    const open = this.#open.get(key);
    if (open) return open;
    const bound = await bindPatiently(wanted, signal);
    this.#open.set(key, bound);
    return bound;
  }

  /** Closes all but these. */
  keep(wanted: readonly Listening[]): void {
    for (const [key, listening] of this.#open) {
      if (wanted.includes(listening)) continue;
      this.#open.delete(key);
      listening.handle.close();
    }
  }
}

async function bindPatiently(wanted: WantedAddress, signal: AbortSignal): Promise<Listening> {
  const bindIt = await binder(wanted).catch((error: unknown) => {
    throw named(error, wanted);
  });
  const until = performance.now() + takenPatienceMs;
  for (;;) {
    const bound = await bindIt().catch((error: unknown) => {
      throw named(error, wanted);
    });
    if (!(bound instanceof Error)) return bound;
    if (bound.code !== 'EADDRINUSE' || performance.now() >= until) throw named(bound, wanted);
    await delay(takenRetryMs, undefined, { signal });
  }
}

/** What to do when an address cannot be opened, by the system's error code. */
const advice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there: `ss -ltnp` shows which; stop it, or choose another port',
  EACCES: 'ports below 1024 need CAP_NET_BIND_SERVICE, a socket a folder that the service may write to',
  EADDRNOTAVAIL: 'this machine does not have that address: `ip address` shows those it has',
  ENOTFOUND: 'that name has no address',
};

/** The error, with the key of the configuration before its message and what to do after it. */
export function named(
  error: unknown,
  { key, address, port }: Pick<WantedAddress, 'key' | 'address' | 'port'>,
): unknown {
  if (!(error instanceof Error) || key === undefined) return error;
  const code = 'code' in error ? String(error.code) : '';
  const where = socketPath(address) === undefined ? `${key}.port` : `${key}.address`;
  const todo = advice[code];
  error.message = `${where}: ${describeAddress({ address, port })} cannot be opened (${error.message})${todo === undefined ? '' : `: ${todo}`}`;
  return error;
}

async function binder(wanted: WantedAddress): Promise<() => Promise<Listening | SystemError>> {
  const path = socketPath(wanted.address);
  if (path !== undefined) {
    const file = { path, mode: wanted.socketMode ?? 0o660, group: wanted.socketGroup };
    return () => bindSocketFile(file);
  }
  const { address, family } = await lookup(wanted.address, { verbatim: true });
  return () => Promise.resolve(bind({ address, port: wanted.port }, family === 6 ? 6 : 4));
}

async function bindSocketFile(file: SocketFile): Promise<Listening | SystemError> {
  const address = `unix:${file.path}`;
  await clearSocket(file.path);
  const handle = createServerHandle(file.path, -1, -1);
  if (typeof handle === 'number') return systemError(getSystemErrorName(handle), { address, port: 0 });
  try {
    await protectSocket(file);
  } catch (error) {
    handle.close();
    throw error;
  }
  return { handle, address, port: 0 };
}

interface SystemError extends Error {
  readonly code: string;
}

function bind({ address, port }: ListenAddress, family: 4 | 6): Listening | SystemError {
  const handle = createServerHandle(address, port, family);
  if (typeof handle === 'number') return systemError(getSystemErrorName(handle), { address, port });
  const name: { address?: string; port?: number } = {};
  handle.getsockname(name);
  if (name.port !== undefined && name.port !== 0) return { handle, address: name.address ?? address, port: name.port };
  // libuv reports a port that is in use only when the socket listens. Until then the socket has no address.
  handle.close();
  return systemError('EADDRINUSE', { address, port });
}

const systemError = (code: string, { address, port }: ListenAddress): SystemError =>
  Object.assign(new Error(`listen ${code}: ${describeAddress({ address, port })}`), { code });
