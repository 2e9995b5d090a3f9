import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { canonicalAddress } from '../../smtp/networks.ts';
import { errorText } from '../../smtp/failures.ts';
import { MilterConnection, type ConnectionOptions } from './connection.ts';
import type { MilterEvent } from './interface.ts';
import { MilterError } from './milter-error.ts';

/** Where the server listens: TCP, a UNIX socket, or a socket that is bound already. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string }
  /** What `Server.listen` of Node takes. */
  | { readonly handle: object };

/** A place among the connections, or why there is none. */
export type Place =
  { readonly kind: 'admitted'; readonly leave: () => void } | { readonly kind: 'refused'; readonly failure: string };

export interface MilterServerOptions extends ConnectionOptions {
  readonly listen: ListenAddress;
  /** Asked for each connection, with its address ('' on a UNIX socket). */
  readonly enter: (address: string) => Place | Promise<Place>;
  readonly trusts: (address: string) => boolean;
  readonly report: (event: MilterEvent, address: string) => void;
}

/** How the server closes. */
export interface Closing {
  /** Aborted: connections between two messages are cut. Before that they stay until the mail server ends them. */
  readonly hurry: AbortSignal;
  /** Aborted: what is still under way is cut. */
  readonly deadline: AbortSignal;
}

export interface MilterServer {
  /** As bound; of a UNIX socket the path, and port 0. */
  readonly address: string;
  readonly port: number;
  /** Takes no new connection, and waits for the others. */
  readonly close: (closing: Closing) => Promise<void>;
}

const pollMs = 50;

/** A mail server whose machine is gone says nothing, and its connection would keep its place for ever. */
const keepAliveAfterMs = 60_000;

/** @throws what listening fails with */
export async function startMilterServer(options: MilterServerOptions): Promise<MilterServer> {
  const connections = new Map<Socket, MilterConnection>();
  const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveAfterMs };
  const server = createServer(socketOptions, (socket) => void serve(socket, connections, options));
  server.listen('handle' in options.listen ? options.listen.handle : options.listen);
  await once(server, 'listening');
  // Null for the handle of a UNIX socket.
  const bound = server.address() ?? '';
  return {
    address: typeof bound === 'string' ? bound : bound.address,
    port: typeof bound === 'string' ? 0 : bound.port,
    close: (closing) => close(server, connections, closing),
  };
}

async function serve(
  socket: Socket,
  connections: Map<Socket, MilterConnection>,
  options: MilterServerOptions,
): Promise<void> {
  const address = canonicalAddress(socket.remoteAddress ?? '');
  // The reader of the socket sees its errors; later ones are ignored.
  socket.on('error', () => undefined);
  if (!options.trusts(address)) {
    options.report({ kind: 'stranger' }, address);
    socket.destroy();
    return;
  }
  const place = await options.enter(address);
  if (place.kind === 'refused') {
    options.report({ kind: 'refused', reason: place.failure }, address);
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
    options.report({ kind, reason: errorText(error) }, address);
  } finally {
    connections.delete(socket);
    place.leave();
    socket.destroySoon();
  }
}

async function close(
  server: Server,
  connections: ReadonlyMap<Socket, MilterConnection>,
  { hurry, deadline }: Closing,
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const sweep = (): void => {
    for (const [socket, { busy }] of connections) if (deadline.aborted || (hurry.aborted && !busy)) socket.destroy();
  };
  sweep();
  const polling = setInterval(sweep, pollMs);
  await closed;
  clearInterval(polling);
}
