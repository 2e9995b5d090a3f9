/**
 * One request for a page or a file.
 *
 * The bytes of a file go from storage to the socket through `pipeline`: read no faster than the client takes them,
 * given up when it goes away. When storage fails in the middle the connection is cut, so that the browser sees a
 * broken download and not a short file.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Log } from '../observe/interface.ts';
import type { NetworkList } from '../smtp/networks.ts';
import { exactly, fingerprintOf, type Link, linkState, type Store } from '../storage/interface.ts';
import { clientAddress } from './client-address.ts';
import { contentType } from './download/content-type.ts';
import { planDownload } from './download/plan.ts';
import { chooseLanguage } from './page/choose-language.ts';
import { filePage, messagePage } from './page/page.ts';
import { pagePolicy } from './page/style.ts';
import { routeOf } from './route.ts';
import type { Language } from './words/languages.ts';
import type { MessageName } from './words/words.ts';

export interface LinkHandlerOptions {
  readonly basePath: string;
  readonly trustedProxies: NetworkList;
  readonly delivery: 'stream' | 'redirect';
  readonly language: Language;
  readonly store: Store;
  readonly log: Log;
  readonly now: () => number;
}

const statusOf = { unknown: 404, expired: 410, revoked: 410, gone: 410, unavailable: 503, method: 405 } as const;

/** On everything that leaves this host. */
const common = {
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex, nofollow',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Should a browser show the bytes in spite of all: in a world of their own, without scripts. */
const filePolicy = "default-src 'none'; sandbox; frame-ancestors 'none'";

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly language: Language;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** What the log says about it: no token. */
  readonly fields: Readonly<Record<string, string>>;
}

export class LinkHandler {
  readonly #options: LinkHandlerOptions;

  constructor(options: LinkHandlerOptions) {
    this.#options = options;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { basePath, trustedProxies, language, log, now } = this.#options;
    const started = now();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const route = routeOf(request.url ?? '', basePath);
    const exchange: Exchange = {
      request,
      response,
      language: chooseLanguage(request.headers['accept-language'], language),
      signal: gone.signal,
      fields: {
        client: clientAddress(request.socket.remoteAddress, forwardedFor(request), trustedProxies),
        ...(route && { link: fingerprintOf(route.token), wants: route.wants }),
      },
    };
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        // Nobody reads the body, so the connection cannot serve another request.
        this.#say(exchange, 'method', { Allow: 'GET, HEAD', Connection: 'close' });
      } else if (!route) this.#say(exchange, 'unknown');
      else await this.#serve(exchange, route.token, route.wants);
    } catch (error) {
      this.#failed(exchange, error);
    }
    const ms = now() - started;
    log.debug('link-request', { ...exchange.fields, method: request.method, status: response.statusCode, ms });
  }

  async #serve(exchange: Exchange, token: string, wants: 'page' | 'file'): Promise<void> {
    const { store, now, basePath, delivery } = this.#options;
    const link = await store.getLink(token, exchange.signal);
    const state = link ? linkState(link, now()) : 'unknown';
    if (!link || state !== 'living') this.#say(exchange, state === 'living' ? 'unknown' : state);
    else if (wants === 'page') {
      send(exchange, 200, filePage(link, `${basePath}/${token}/file`, exchange.language));
    } else if (delivery === 'stream' || !(await this.#redirected(exchange, link))) await this.#stream(exchange, link);
  }

  /** @returns false when no address could be signed: the bytes can still go through us. */
  async #redirected({ response, fields }: Exchange, link: Link): Promise<boolean> {
    const { store, log } = this.#options;
    try {
      const type = contentType(link.type);
      const location = await store.signedUrl(link.sha256, { name: link.name, type });
      response.writeHead(302, { ...common, Location: location, 'Cache-Control': 'no-store', 'Content-Length': '0' });
      response.end();
      log.info('download', { ...fields, sha256: link.sha256, delivery: 'redirect' });
      return true;
    } catch (error) {
      log.warn('redirect-failed', { ...fields, err: error });
      return false;
    }
  }

  async #stream(exchange: Exchange, link: Link): Promise<void> {
    const { request, response, signal, fields } = exchange;
    const { store, log } = this.#options;
    const { status, headers, send: part } = planDownload(link, request.method ?? 'GET', request.headers);
    const head = { ...common, 'Content-Security-Policy': filePolicy, ...headers };
    if (part === 'none' || request.method === 'HEAD') {
      response.writeHead(status, head).end();
      return;
    }
    const bytes = await store.openFile(link.sha256, signal, part === 'all' ? undefined : part);
    if (!bytes) {
      log.error('file-missing', { ...fields, sha256: link.sha256 });
      this.#say(exchange, 'gone');
      return;
    }
    response.writeHead(status, head);
    // A file of another size than the link says would otherwise leave the client waiting for the rest.
    await pipeline(bytes, exactly(part === 'all' ? link.size : part.count), response);
    log.info('download', {
      ...fields,
      sha256: link.sha256,
      delivery: 'stream',
      bytes: Number(headers['Content-Length']),
    });
  }

  #failed(exchange: Exchange, error: unknown): void {
    const { response, signal, fields } = exchange;
    const { log } = this.#options;
    if (response.headersSent) {
      // `pipeline` has cut the connection already unless the response was complete.
      response.destroy();
      log.info('download-broken', { ...fields, clientGone: signal.aborted, err: error });
    } else if (signal.aborted) {
      log.debug('client-gone', fields);
    } else {
      log.error('link-failed', { ...fields, err: error });
      this.#say(exchange, 'unavailable', { 'Retry-After': '30' });
    }
  }

  #say(exchange: Exchange, name: MessageName, headers: Readonly<Record<string, string>> = {}): void {
    send(exchange, statusOf[name], messagePage(name, exchange.language), headers);
  }
}

function send(
  { request, response }: Exchange,
  status: number,
  html: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(html);
  response.writeHead(status, {
    ...common,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': pagePolicy,
    Vary: 'Accept-Language',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function forwardedFor(request: IncomingMessage): string | undefined {
  const header = request.headers['x-forwarded-for'];
  return Array.isArray(header) ? header.join(',') : header;
}
