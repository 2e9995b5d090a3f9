/**
 * Limits the connections of readers: in all, of one address, and to one request at a time on each.
 *
 * Node's parser delivers all requests of one packet at once. Each waits here until the answer to the one before it was
 * sent, so that a connection costs one request to storage at a time. A connection with too many waiting requests is
 * cut.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RepeatedLines } from '../observe/interface.ts';
import type { NetworkList } from '../smtp/networks.ts';
import { clientShare } from './client-share.ts';
import type { Limits } from './limits.ts';

type Turn = () => Promise<void>;

interface Connection {
  readonly waiting: Turn[];
  busy: boolean;
  requests: number;
}

export interface ConnectionsOptions {
  readonly limits: Pick<Limits, 'connectionsPerAddress' | 'pipelined' | 'requestsPerConnection'>;
  /** Addresses that many clients share. */
  readonly sharedBy: NetworkList;
  readonly lines: RepeatedLines;
  /** Whether the log may name the client's address. */
  readonly namesClients: boolean;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #connections = new WeakMap<Socket, Connection>();
  readonly #ofAddress = new Map<string, number>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Closes a connection that is one too many of its address. */
  readonly opened = (socket: Socket): void => {
    const { limits, sharedBy } = this.#options;
    const address = socket.remoteAddress;
    if (address === undefined || sharedBy.has(address)) return;
    const key = clientShare(address);
    const open = (this.#ofAddress.get(key) ?? 0) + 1;
    if (open > limits.connectionsPerAddress) {
      this.#refused(address, 'too many connections of one address');
      socket.destroy();
      return;
    }
    this.#ofAddress.set(key, open);
    socket.once('close', () => {
      const left = (this.#ofAddress.get(key) ?? 1) - 1;
      if (left > 0) this.#ofAddress.set(key, left);
      else this.#ofAddress.delete(key);
    });
  };

  /** Answers the request after those before it on its connection. `answer` never rejects. */
  serve(request: IncomingMessage, response: ServerResponse, answer: () => Promise<void>): void {
    const { socket } = request;
    if (socket.destroyed) return;
    const connection = this.#of(socket);
    if (connection.waiting.length >= this.#options.limits.pipelined) {
      const client = socket.remoteAddress ?? 'unknown';
      this.#refused(client, 'too many requests sent ahead');
      connection.waiting.length = 0;
      socket.destroy();
      return;
    }
    connection.requests += 1;
    // Node closes the connection after this answer.
    if (connection.requests >= this.#options.limits.requestsPerConnection) response.setHeader('Connection', 'close');
    connection.waiting.push(async () => {
      const out = new Promise<void>((resolve) => response.once('close', resolve));
      await answer();
      if (!response.closed) await out;
    });
    if (!connection.busy) void this.#work(connection, socket);
  }

  #refused(client: string, reason: string): void {
    const { lines, namesClients } = this.#options;
    lines.warn('reader-refused', `${clientShare(client)} ${reason}`, { ...(namesClients && { client }), reason });
  }

  #of(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (!connection) this.#connections.set(socket, (connection = { waiting: [], busy: false, requests: 0 }));
    return connection;
  }

  async #work(connection: Connection, socket: Socket): Promise<void> {
    connection.busy = true;
    for (let turn = connection.waiting.shift(); turn; turn = connection.waiting.shift()) {
      if (socket.destroyed) break;
      await turn();
    }
    connection.waiting.length = 0;
    connection.busy = false;
  }
}
