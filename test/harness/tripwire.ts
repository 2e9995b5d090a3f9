import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { patience } from './wait.ts';

export interface Trip {
  /** `up`: from the client to the server. */
  readonly direction: 'up' | 'down';
  /** Trips when the bytes of this direction since arming match the pattern, or reach this number. */
  readonly at: RegExp | number;
}

/** Bytes that a pattern may look back. */
const window = 4096;

/**
 * A TCP proxy that does something at a precise point of a conversation. The bytes that reach the point are not passed
 * on, and the connection is cut there.
 */
export class Tripwire {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: { readonly trip: Trip; readonly action: () => void; seen: string; bytes: number } | undefined;

  constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(target: number): Promise<Tripwire> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const wire = new Tripwire(server, typeof address === 'object' && address ? address.port : 0);
    server.on('connection', (client) => wire.#join(client, connect(target, '127.0.0.1')));
    return wire;
  }

  /** Resolves when the point was reached and the action done. @throws Error when it is not reached in time */
  arm(trip: Trip, action: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const bound = setTimeout(
        () => reject(new Error(`gave up waiting for ${String(trip.at)} ${trip.direction}`)),
        patience,
      );
      this.#armed = {
        trip,
        seen: '',
        bytes: 0,
        action: () => {
          clearTimeout(bound);
          action();
          resolve();
        },
      };
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, server: Socket): void {
    for (const [from, to, direction] of [
      [client, server, 'up'],
      [server, client, 'down'],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        if (this.#reached(chunk, direction)) {
          from.destroy();
          to.destroy();
        } else if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  #reached(chunk: Buffer, direction: Trip['direction']): boolean {
    const armed = this.#armed;
    if (armed?.trip.direction !== direction) return false;
    const { at } = armed.trip;
    armed.bytes += chunk.length;
    armed.seen = (armed.seen + chunk.toString('latin1')).slice(-(window + chunk.length));
    if (typeof at === 'number' ? armed.bytes < at : !at.test(armed.seen)) return false;
    this.#armed = undefined;
    armed.action();
    return true;
  }
}
