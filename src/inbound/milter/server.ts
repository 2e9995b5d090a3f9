import { chmod, chown, lstat, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { MilterConnection, type ConnectionOptions } from './connection.ts';
import type { MilterEvent } from './interface.ts';
import { MilterError } from './milter-error.ts';

/** Where the server listens: TCP, or a UNIX socket with its permissions. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  /** `group`: a group id that the socket is given to. */
  | { readonly path: string; readonly mode: number; readonly group?: number | undefined };

export interface MilterServerOptions extends ConnectionOptions {
  readonly listen: ListenAddress;
  readonly maxConnections: number;
  /** Whether a client of this address may speak to us; UNIX sockets are guarded by their permissions. */
  readonly trusts?: (address: string) => boolean;
  readonly report: (event: MilterEvent, address: string) => void;
}

export interface MilterServer {
  /** As bound; a UNIX socket has port 0 and its path as the address. */
  readonly address: string;
  readonly port: number;
  /** Takes no new connection, waits for messages under way for at most `graceMs`, for idle connections `idleGraceMs`. */
  readonly close: (limits: { readonly graceMs: number; readonly idleGraceMs: number }) => Promise<void>;
}

const POLL_MS = 50;

/** @throws what listening fails with */
export async function startMilterServer(options: MilterServerOptions): Promise<MilterServer> {
  const connections = new Map<Socket, MilterConnection>();
  const server = createServer({ noDelay: true }, (socket) => void serve(socket, connections, options));
  const { listen } = options;
  if ('path' in listen) await listenOnPath(server, listen);
  else {
    server.listen(listen.port, listen.host);
    await once(server, 'listening');
  }
  const bound = server.address()!;
  return {
    address: typeof bound === 'string' ? bound : bound.address,
    port: typeof bound === 'string' ? 0 : bound.port,
    close: (limits) => close(server, connections, limits),
  };
}

async function serve(
  socket: Socket,
  connections: Map<Socket, MilterConnection>,
  options: MilterServerOptions,
): Promise<void> {
  const address = socket.remoteAddress ?? '';
  // Errors of the socket reach whoever reads it; later ones nobody.
  socket.on('error', () => undefined);
  if (address !== '' && options.trusts?.(address) === false) {
    socket.destroy();
    return;
  }
  if (connections.size >= options.maxConnections) {
    options.report({ kind: 'too-many-connections' }, address);
    socket.destroy();
    return;
  }
  const connection = new MilterConnection(socket, options);
  connections.set(socket, connection);
  try {
    await connection.run();
    socket.end();
  } catch (error) {
    const kind = error instanceof MilterError ? 'protocol-error' : 'connection-error';
    options.report({ kind, reason: error instanceof Error ? error.message : String(error) }, address);
  } finally {
    connections.delete(socket);
    socket.destroySoon();
  }
}

/** A socket that a process left behind when it was killed is taken away; one that somebody answers on is not. */
async function listenOnPath(
  server: Server,
  { path, mode, group }: Extract<ListenAddress, { path: string }>,
): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() === true && !(await answers(path))) await rm(path, { force: true });
  server.listen({ path });
  await once(server, 'listening');
  if (group !== undefined) await chown(path, -1, group);
  await chmod(path, mode);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}

async function close(
  server: Server,
  connections: ReadonlyMap<Socket, MilterConnection>,
  { graceMs, idleGraceMs }: { readonly graceMs: number; readonly idleGraceMs: number },
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const started = performance.now();
  const sweep = setInterval(() => {
    const elapsed = performance.now() - started;
    for (const [socket, { busy }] of connections) if (elapsed >= (busy ? graceMs : idleGraceMs)) socket.destroy();
  }, POLL_MS);
  await closed;
  clearInterval(sweep);
}
