import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, Server } from 'node:net';
import type { Config } from '../config/config.ts';
import { hostPort } from '../smtp/host-port.ts';
import { RepeatedLines, type Log, type ReaderMeter } from '../observe/interface.ts';
import { NetworkList } from '../smtp/networks.ts';
import type { Store } from '../storage/interface.ts';
import { Connections } from './connections.ts';
import { LinkHandler } from './handler.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { createFrame, type FrameOptions } from './page/create-frame.ts';
import { basePathOf } from './route.ts';

type PageKeys = 'log' | 'showSender' | 'showSubject';

export interface LinkServerOptions {
  readonly links: Pick<Config['links'], 'baseUrl' | 'address' | 'port' | 'trustedProxies' | 'delivery' | PageKeys> &
    FrameOptions;
  readonly store: Store;
  readonly log: Log;
  /** A listening socket of the service, instead of `links.address` and `links.port`. */
  readonly listenOn?: object;
  readonly meter: ReaderMeter;
  readonly limits?: Partial<Limits>;
  /** ms since 1970; the system's clock when none is given. */
  readonly now?: () => number;
}

export interface LinkServer {
  /** `host:port` as bound. */
  readonly address: string;
  /** Takes no new connection, and closes when those that are open have ended. */
  close(closing?: LinkClosing): Promise<void>;
}

export interface LinkClosing {
  /** Aborted: downloads may go on for a moment, then everything is closed; a browser resumes where it was. */
  readonly hurry: AbortSignal;
  /** Aborted: all is closed now. */
  readonly deadline: AbortSignal;
}

const graceMs = 3000;
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** How often these two limits are checked: a connection that sends its header one byte a minute ends after 15 s. */
  connectionsCheckingInterval: 5000,
  /** Longer than proxies keep an idle connection, so that it is never closed under a request. */
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16_384,
} as const;
/** Connections of which it is not decided yet whether they get a place. */
const maxOpening = 64;
/** A client that takes nothing for this long is cut off. It can resume. */
const stalledMs = 120_000;

/**
 * Serves the page behind a link, and the file.
 * @throws the system's error when the address cannot be taken, TemplateError for a logo or a template
 */
export async function startLinkServer(options: LinkServerOptions): Promise<LinkServer> {
  const { links, store, log, meter, listenOn, now = Date.now } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const lines = new RepeatedLines(log);
  // A proxy speaks for many readers, and a client on this machine is most likely a proxy.
  const sharedBy = new NetworkList([...links.trustedProxies, '127.0.0.0/8', '::1/128']);
  const handler = new LinkHandler({
    basePath: basePathOf(links.baseUrl),
    trustedProxies: new NetworkList(links.trustedProxies),
    sharedBy,
    delivery: links.delivery,
    language: links.language,
    frame: createFrame(links),
    shown: { sender: links.showSender, subject: links.showSubject },
    logs: links.log,
    store,
    log,
    lines,
    meter,
    limits,
    now,
  });
  const connections = new Connections({ limits, sharedBy, lines, namesClients: links.log === 'full' });
  let closes = false;
  const server = createServer(timeouts, (request, response) => {
    if (closes) response.setHeader('Connection', 'close');
    connections.serve(response, () => handler.handle(request, response));
  });
  // One more than the limit is let in for a moment: see `Connections`.
  server.maxConnections = limits.connections + maxOpening;
  server.on('connection', connections.opened);
  server.setTimeout(stalledMs);
  if (listenOn) server.listen(listenOn);
  else server.listen(links.port, links.address);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    address: hostPort(address, port),
    async close(closing = { hurry: AbortSignal.abort(), deadline: new AbortController().signal }) {
      closes = true;
      await closeServer(server, closing);
      await handler.close();
      lines.close();
    },
  };
}

async function closeServer(server: HttpServer, { hurry, deadline }: LinkClosing): Promise<void> {
  const closed = once(server, 'close');
  // Not `close` of http.Server, which cuts idle connections: a proxy may just be sending a request on one.
  Server.prototype.close.call(server);
  let hurriedAt: number | undefined;
  // Closes connections that became idle when their download ended: the client would keep them open.
  const sweeping = setInterval(() => {
    if (hurry.aborted) hurriedAt ??= performance.now();
    if (deadline.aborted || performance.now() - (hurriedAt ?? Infinity) >= graceMs) server.closeAllConnections();
    else if (hurry.aborted) server.closeIdleConnections();
  }, 50);
  await closed;
  clearInterval(sweeping);
}
