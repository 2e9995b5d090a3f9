/**
 * Limits the connections of readers: in all, of one address, and to one request at a time on each.
 *
 * When all places are taken, the address with the most connections gives one up on which no request is under way. So a
 * flood of idle connections, however many addresses it comes from, keeps out nobody who has fewer.
 *
 * Node's parser delivers all requests of one packet at once. Each waits here until the answer to the one before it was
 * sent, so that a connection costs one request to storage at a time. A connection with too many waiting requests is
 * cut.
 */
import type { ServerResponse } from 'node:http';
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
  readonly limits: Pick<Limits, 'connections' | 'connectionsPerAddress' | 'pipelined' | 'requestsPerConnection'>;
  /** Addresses that many clients share. */
  readonly sharedBy: NetworkList;
  readonly lines: RepeatedLines;
  /** Whether the log may name the client's address. */
  readonly namesClients: boolean;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #connections = new WeakMap<Socket, Connection>();
  /** Those of addresses that do not stand for many clients. */
  readonly #ofAddress = new Map<string, Set<Socket>>();
  /** What gives the place of a connection back. */
  readonly #release = new Map<Socket, () => void>();
  #open = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Closes a connection that is one too many, or another one for it. */
  readonly opened = (socket: Socket): void => {
    const { limits, sharedBy } = this.#options;
    const address = socket.remoteAddress;
    if (address === undefined) return;
    const key = sharedBy.has(address) ? undefined : clientShare(address);
    if (key !== undefined && (this.#ofAddress.get(key)?.size ?? 0) >= limits.connectionsPerAddress) {
      this.#refuse(socket, 'too many connections of one address');
      return;
    }
    if (this.#open >= limits.connections && !this.#makePlace()) {
      this.#refuse(socket, 'too many connections');
      return;
    }
    this.#count(socket, key);
  };

  #count(socket: Socket, key: string | undefined): void {
    this.#open += 1;
    const known = key === undefined ? undefined : (this.#ofAddress.get(key) ?? new Set());
    if (key !== undefined && known) this.#ofAddress.set(key, known.add(socket));
    this.#release.set(socket, () => {
      this.#release.delete(socket);
      this.#open -= 1;
      if (key === undefined || !known) return;
      known.delete(socket);
      if (known.size === 0 && this.#ofAddress.get(key) === known) this.#ofAddress.delete(key);
    });
    socket.once('close', () => this.#release.get(socket)?.());
  }

  /** Closes the oldest idle connection of the address that has the most. */
  #makePlace(): boolean {
    let most: ReadonlySet<Socket> = new Set();
    for (const sockets of this.#ofAddress.values()) if (sockets.size > most.size) most = sockets;
    for (const socket of most) {
      if (this.#connections.get(socket)?.busy) continue;
      this.#refuse(socket, 'gives its place to another reader');
      this.#release.get(socket)?.();
      return true;
    }
    return false;
  }

  /** Answers the request after those before it on its connection. `answer` never rejects. */
  serve(response: ServerResponse, answer: () => Promise<void>): void {
    const { socket } = response.req;
    if (socket.destroyed) return;
    const connection = this.#of(socket);
    if (connection.waiting.length >= this.#options.limits.pipelined) {
      connection.waiting.length = 0;
      this.#refuse(socket, 'too many requests sent ahead');
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

  #refuse(socket: Socket, reason: string): void {
    const { lines, namesClients } = this.#options;
    const client = socket.remoteAddress ?? 'unknown';
    socket.destroy();
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
