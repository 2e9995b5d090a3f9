import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import { hostPort } from '../smtp/host-port.ts';
import type { Log } from '../observe/interface.ts';
import { NetworkList } from '../smtp/networks.ts';
import type { Store } from '../storage/interface.ts';
import { LinkHandler } from './handler.ts';
import { basePathOf } from './route.ts';

export interface LinkServerOptions {
  readonly links: Pick<Config['links'], 'baseUrl' | 'address' | 'port' | 'trustedProxies' | 'delivery' | 'language'>;
  readonly store: Store;
  readonly log: Log;
  /** ms since 1970; the system's clock when none is given. */
  readonly now?: () => number;
}

export interface LinkServer {
  /** `host:port` as bound. */
  readonly address: string;
  /** Takes no more requests, lets what runs go on for a moment, then closes: a browser resumes where it was. */
  close(): Promise<void>;
}

const graceMs = 3000;
/** A client that takes nothing for this long has gone, or means harm. It can resume. */
const stalledMs = 120_000;

/** Serves the page behind a link, and the file. @throws the system's error when the address cannot be taken */
export async function startLinkServer({ links, store, log, now = Date.now }: LinkServerOptions): Promise<LinkServer> {
  const handler = new LinkHandler({
    basePath: basePathOf(links.baseUrl),
    trustedProxies: new NetworkList(links.trustedProxies),
    delivery: links.delivery,
    language: links.language,
    store,
    log,
    now,
  });
  const server = createServer(
    // Longer than proxies keep an idle connection, so that it is never closed under a request.
    { headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 65_000, maxHeaderSize: 16_384 },
    (request, response) => void handler.handle(request, response),
  );
  server.maxConnections = 1000;
  server.setTimeout(stalledMs);
  server.listen(links.port, links.address);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    address: hostPort(address, port),
    async close() {
      const closed = once(server, 'close');
      server.close();
      const started = performance.now();
      // A connection becomes idle when its download ends, and the client would keep it open.
      const sweeping = setInterval(() => {
        if (performance.now() - started < graceMs) server.closeIdleConnections();
        else server.closeAllConnections();
      }, 50);
      await closed;
      clearInterval(sweeping);
    },
  };
}
