import type { Socket } from 'node:net';
import { NetworkList } from '../../smtp/networks.ts';
import { ProxyHeaderError, readProxyHeader } from './read-header.ts';

/** Who is at the other end of a connection. */
export interface Peer {
  /** Of the client, as the balancer names it where there is one; undefined when it names none. */
  readonly address: string | undefined;
  /** Of the balancer, where there is one. */
  readonly proxy?: string;
}

export interface ProxyPeersOptions {
  readonly proxyHosts: readonly string[];
  /** Connections that may wait for their PROXY header at the same time. */
  readonly maxClients: number;
}

/** Finds out who the clients are, where load balancers stand in front (`inbound.proxyHosts`). */
export class ProxyPeers {
  readonly #proxies: NetworkList;
  readonly #maxWaiting: number;
  readonly #onRefused: (proxy: string, reason: string) => void;
  readonly #waiting = new Set<Socket>();

  constructor({ proxyHosts, maxClients }: ProxyPeersOptions, onRefused: (proxy: string, reason: string) => void) {
    this.#proxies = new NetworkList(proxyHosts);
    this.#maxWaiting = maxClients;
    this.#onRefused = onRefused;
  }

  /**
   * Answers at once unless a header has to be read first. Resolves with undefined when the connection was refused or
   * ended.
   */
  identify(socket: Socket, address: string): Peer | Promise<Peer | undefined> {
    return this.#proxies.has(address) ? this.#behind(socket, address) : { address };
  }

  /** Closes the connections whose header has not come yet. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy();
  }

  async #behind(socket: Socket, proxy: string): Promise<Peer | undefined> {
    if (this.#waiting.size >= this.#maxWaiting) {
      socket.on('error', () => undefined).destroy();
      this.#onRefused(proxy, `${this.#waiting.size} connections owe their PROXY header already`);
      return undefined;
    }
    this.#waiting.add(socket);
    try {
      const header = await readProxyHeader(socket);
      switch (header?.kind) {
        case undefined:
          return undefined;
        case 'client':
          return { address: header.address, proxy };
        case 'local':
          return { address: proxy, proxy };
        case 'unknown':
          return { address: undefined, proxy };
        default:
          return header satisfies never;
      }
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error;
      this.#onRefused(proxy, error.message);
      return undefined;
    } finally {
      this.#waiting.delete(socket);
    }
  }
}
