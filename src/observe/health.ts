import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { hostPort } from '../smtp/host-port.ts';
import { type Check, Readiness } from './readiness.ts';

/** What `/metrics` shows: a registry of prom-client, or the sum over several. */
export interface Figures {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface HealthServerOptions {
  readonly metrics: Config['metrics'];
  readonly figures: Figures;
  /** What must be true for mail to pass, by name, for `/readyz`. */
  readonly checks: readonly Check[];
}

export interface HealthServer {
  /** `host:port` as bound. */
  readonly address: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

/**
 * Serves `/metrics` (Prometheus), `/healthz` (200 while the process serves) and `/readyz` (503 while something that
 * mail needs is missing, with its name).
 * @throws the system's error when the address cannot be taken
 */
export async function startHealthServer({ metrics, figures, checks }: HealthServerOptions): Promise<HealthServer> {
  const readiness = new Readiness(checks);
  let collecting: Promise<string> | undefined;
  // All processes are asked for their figures: once for all who want them at the time.
  const collect = (): Promise<string> => (collecting ??= figures.metrics().finally(() => (collecting = undefined)));

  const answer = async (path: string): Promise<Answer> => {
    switch (path) {
      case '/metrics':
        return { status: 200, type: figures.contentType, body: await collect() };
      case '/healthz':
        return json(200, { alive: true });
      case '/readyz': {
        const notReady = await readiness.missing();
        return notReady.length === 0 ? json(200, { ready: true }) : json(503, { ready: false, notReady });
      }
      default:
        return json(404, { error: 'not found' });
    }
  };

  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 5000, maxHeaderSize: 8192 },
    (request, response) => {
      if (isFirst(request, response)) void handle(request, response, { answer });
    },
  );
  // There are few scrapers and probes. A client that opens more connections must not use up the file descriptors for
  // mail.
  server.maxConnections = 64;
  server.listen(metrics.port, metrics.address);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    address: hostPort(address, port),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      readiness.close();
      await closed;
    },
  };
}

/**
 * One request at a time on a connection: thousands sent together would stop the process that counts for all others.
 * No scraper and no probe sends another one before its answer. Such a connection is cut.
 */
function isFirst({ socket }: IncomingMessage, response: ServerResponse): boolean {
  const isBusy = answers.get(socket)?.writableFinished === false;
  if (isBusy) socket.destroy();
  if (socket.destroyed) return false;
  answers.set(socket, response);
  return true;
}

/** The last one of each connection. */
const answers = new WeakMap<Socket, ServerResponse>();

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { answer }: { readonly answer: (path: string) => Promise<Answer> },
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    // Nobody reads the body, so the connection cannot serve another request.
    response.setHeader('Connection', 'close');
    send(request, response, json(405, { error: 'method not allowed' }));
    return;
  }
  const path = (request.url ?? '/').replace(/\?.*$/s, '');
  try {
    send(request, response, await answer(path));
  } catch {
    send(request, response, json(500, { error: 'internal error' }));
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
