/**
 * One request for a page or a file.
 *
 * The bytes of a file go from storage to the socket through `pipeline`: read no faster than the client takes them,
 * given up when it goes away. When storage fails in the middle the connection is cut, so that the browser sees a
 * broken download and not a short file.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Config } from '../config/config.ts';
import type { Fields, Log, Meter, RepeatedLines } from '../observe/interface.ts';
import type { NetworkList } from '../smtp/networks.ts';
import { exactly, fingerprintOf, type Link, linkState, type Store } from '../storage/interface.ts';
import { clientAddress } from './client-address.ts';
import { clientShare } from './client-share.ts';
import { contentType } from './download/content-type.ts';
import { watchPace } from './download/pace.ts';
import { type Plan, planDownload } from './download/plan.ts';
import { CorruptFileError, verified } from './download/verified.ts';
import { BusyError, Gate } from './gate.ts';
import type { Limits } from './limits.ts';
import { Lookup } from './lookup.ts';
import { chooseLanguage } from './page/choose-language.ts';
import { filePage, type Shown } from './page/file-page.ts';
import type { PageFrame } from './page/page.ts';
import { routeOf } from './route.ts';
import type { Language } from './words/languages.ts';
import type { MessageName } from './words/words.ts';

export interface LinkHandlerOptions {
  readonly basePath: string;
  readonly trustedProxies: NetworkList;
  readonly delivery: 'stream' | 'redirect';
  readonly language: Language;
  readonly frame: PageFrame;
  readonly shown: Shown;
  /** What is logged of who reads. */
  readonly logs: Config['links']['log'];
  readonly store: Store;
  readonly log: Log;
  /** For what strangers can cause as often as they like. */
  readonly lines: RepeatedLines;
  readonly meter: Pick<Meter, 'fileCorrupt' | 'readerBusy'>;
  readonly limits: Limits;
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
  /** For limits: one for all addresses that are surely the same client's. */
  readonly client: string;
  /** What the log says about it: no token. */
  readonly fields: Readonly<Record<string, string>>;
}

export class LinkHandler {
  readonly #options: LinkHandlerOptions;
  readonly #lookup: Lookup;
  readonly #downloads: Gate;

  constructor(options: LinkHandlerOptions) {
    const { limits } = options;
    this.#options = options;
    this.#lookup = new Lookup(options);
    this.#downloads = new Gate({
      places: limits.downloads,
      waiting: limits.downloadsWaiting,
      waitMs: limits.waitMs,
      sharePerClient: limits.sharePerClient,
    });
  }

  close(): void {
    this.#lookup.close();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { basePath, trustedProxies, language, logs, log, now } = this.#options;
    const started = now();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const route = routeOf(request.url ?? '', basePath);
    const client = clientAddress(request.socket.remoteAddress, forwardedFor(request), trustedProxies);
    const exchange: Exchange = {
      request,
      response,
      language: chooseLanguage(request.headers['accept-language'], language),
      signal: gone.signal,
      client: clientShare(client),
      fields: {
        ...(logs === 'full' && { client }),
        ...(route && { link: fingerprintOf(route.token), wants: route.wants }),
      },
    };
    // Nobody reads a body, so the connection cannot serve another request.
    if (hasBody(request)) response.setHeader('Connection', 'close');
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        this.#say(exchange, 'method', { Allow: 'GET, HEAD', Connection: 'close' });
      } else if (!route) this.#say(exchange, 'unknown');
      else await this.#serve(exchange, route.token, route.wants);
    } catch (error) {
      this.#failed(exchange, error);
    }
    const ms = now() - started;
    if (logs !== 'off')
      log.debug('link-request', { ...exchange.fields, method: request.method, status: response.statusCode, ms });
  }

  async #serve(exchange: Exchange, token: string, wants: 'page' | 'file'): Promise<void> {
    const { now, basePath, delivery } = this.#options;
    const link = await this.#lookup.link(token, exchange.client);
    const state = link ? linkState(link, now()) : 'unknown';
    if (!link || state !== 'living') this.#say(exchange, state === 'living' ? 'unknown' : state);
    else if (wants === 'page') {
      if (await this.#lookup.hasFile(link, exchange.client)) {
        const { frame, shown } = this.#options;
        const href = `${basePath}/${token}/file`;
        this.#send(exchange, 200, filePage(link, { frame, shown, language: exchange.language, href }));
      } else this.#sayGone(exchange, link);
    } else if (delivery === 'stream' || !(await this.#redirected(exchange, link))) await this.#download(exchange, link);
  }

  /** @returns false when no address could be signed: the bytes can still go through us. */
  async #redirected(exchange: Exchange, link: Link): Promise<boolean> {
    const { response, fields, client } = exchange;
    const { store, lines } = this.#options;
    // Storage would say 404 in its own words.
    if (!(await this.#lookup.hasFile(link, client))) {
      this.#sayGone(exchange, link);
      return true;
    }
    try {
      const type = contentType(link.type);
      const location = await store.signedUrl(link.sha256, { name: link.name, type });
      response.writeHead(302, { ...common, Location: location, 'Cache-Control': 'no-store', 'Content-Length': '0' });
      response.end();
      this.#downloaded({ client, fields }, { sha256: link.sha256, delivery: 'redirect' });
      return true;
    } catch (error) {
      lines.warn('redirect-failed', '', { ...fields, err: error });
      return false;
    }
  }

  async #download(exchange: Exchange, link: Link): Promise<void> {
    const { request, response } = exchange;
    const plan = planDownload(link, request.method ?? 'GET', request.headers);
    if (plan.send === 'none' || request.method === 'HEAD') {
      response.writeHead(plan.status, headersOf(plan)).end();
    } else await this.#downloads.run(exchange.client, () => this.#stream(exchange, link, plan));
  }

  async #stream(exchange: Exchange, link: Link, plan: Plan): Promise<void> {
    const { response, signal } = exchange;
    const { store, limits } = this.#options;
    const { offset, count } = typeof plan.send === 'object' ? plan.send : { offset: 0, count: link.size };
    const whole = count === link.size;
    const bytes = await store.openFile(link.sha256, signal, whole ? undefined : { offset, count });
    if (!bytes) {
      this.#sayGone(exchange, link);
      return;
    }
    response.writeHead(plan.status, headersOf(plan));
    const endWatch = watchPace(response, limits, () => bytes.destroy(new Error('the reader takes nearly nothing')));
    try {
      // A file of another size than the link says would otherwise leave the client waiting for the rest.
      if (whole) await pipeline(bytes, exactly(count), verified(link.sha256), response);
      else await pipeline(bytes, exactly(count), response);
    } finally {
      endWatch();
    }
    this.#downloaded(exchange, { sha256: link.sha256, delivery: 'stream', bytes: count });
  }

  #downloaded(
    { client, fields }: Pick<Exchange, 'client' | 'fields'>,
    file: Readonly<{ sha256: string }> & Fields,
  ): void {
    if (this.#options.logs !== 'off') {
      this.#options.lines.info('download', `${client} ${file.sha256}`, { ...fields, ...file });
    }
  }

  #failed(exchange: Exchange, error: unknown): void {
    const { response, signal, fields, client } = exchange;
    const { log, lines, meter } = this.#options;
    if (error instanceof CorruptFileError) {
      meter.fileCorrupt();
      lines.error('file-corrupt', error.message, { ...fields, err: error });
    }
    if (response.headersSent) {
      // `pipeline` has cut the connection already unless the response was complete.
      response.destroy();
      lines.info('download-broken', client, { ...fields, clientGone: signal.aborted, err: error });
    } else if (signal.aborted) {
      log.debug('client-gone', fields);
    } else if (error instanceof BusyError) {
      meter.readerBusy();
      lines.warn('reader-busy', client, { ...fields, reason: error.message });
      this.#say(exchange, 'unavailable', { 'Retry-After': '5' });
    } else {
      lines.error('link-failed', client, { ...fields, err: error });
      this.#say(exchange, 'unavailable', { 'Retry-After': '30' });
    }
  }

  #sayGone(exchange: Exchange, { sha256 }: Link): void {
    this.#options.lines.error('file-missing', sha256, { ...exchange.fields, sha256 });
    this.#say(exchange, 'gone');
  }

  #say(exchange: Exchange, name: MessageName, headers: Readonly<Record<string, string>> = {}): void {
    this.#send(exchange, statusOf[name], this.#options.frame.message(name, exchange.language), headers);
  }

  #send(
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
      'Content-Security-Policy': this.#options.frame.style.policy,
      Vary: 'Accept-Language',
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

const headersOf = (plan: Plan): Record<string, string> => ({
  ...common,
  'Content-Security-Policy': filePolicy,
  ...plan.headers,
});

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

function forwardedFor(request: IncomingMessage): string | undefined {
  const header = request.headers['x-forwarded-for'];
  return Array.isArray(header) ? header.join(',') : header;
}
