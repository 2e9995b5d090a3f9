/**
 * One request for a page, a file or an archive.
 *
 * The bytes of a file go from storage to the socket through `pipeline`: they are read no faster than the client takes
 * them, and reading stops when the client goes away. When storage fails in the middle, the connection is cut, so that
 * the browser sees a broken download and not a short file.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LinkRefusal } from '../observe/interface.ts';
import { fingerprintOf, type Link, linkState } from '../storage/interface.ts';
import { ArchiveDownloads } from './archive/archive-downloads.ts';
import { clientAddress } from './client-address.ts';
import { clientShare } from './client-share.ts';
import { DownloadLog } from './download/download-log.ts';
import { FileDownloads } from './download/file-downloads.ts';
import { FileMissingError } from './download/missing.ts';
import { CorruptFileError } from './download/verified.ts';
import { type Exchange, say, sendPage } from './exchange.ts';
import { BusyError } from './gate.ts';
import { Lookup } from './lookup.ts';
import { MessagePages, type WantedPage } from './message-pages.ts';
import type { LinkHandlerOptions } from './options.ts';
import { chooseLanguage } from './page/choose-language.ts';
import { filePage } from './page/file-page.ts';
import { routeOf, type Route } from './route.ts';
import type { MessageName } from './words/words.ts';

export class LinkHandler {
  readonly #options: LinkHandlerOptions;
  readonly #lookup: Lookup;
  readonly #files: FileDownloads;
  readonly #archives: ArchiveDownloads;
  readonly #pages: MessagePages;
  readonly #running = new Set<Promise<void>>();

  constructor(options: LinkHandlerOptions) {
    this.#options = options;
    this.#lookup = new Lookup(options);
    const rooms = { lookup: this.#lookup, log: new DownloadLog(options) };
    this.#files = new FileDownloads(options, rooms);
    this.#archives = new ArchiveDownloads(options, rooms);
    this.#pages = new MessagePages(options, this.#lookup);
  }

  /** When all connections are closed. Waits for what the last answers have to count and to log. */
  async close(): Promise<void> {
    this.#lookup.close();
    await Promise.allSettled(this.#running);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answering = this.#answer(request, response);
    this.#running.add(answering);
    try {
      await answering;
    } finally {
      this.#running.delete(answering);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { basePath, trustedProxies, language, logs, log, now } = this.#options;
    const started = now();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const route = routeOf(request.url ?? '', basePath);
    const client = clientAddress(
      { peer: request.socket.remoteAddress, forwardedFor: forwardedFor(request) },
      trustedProxies,
    );
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
    // The body is not read, so the connection cannot serve another request.
    if (hasBody(request)) response.setHeader('Connection', 'close');
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        this.#say(exchange, 'method', { Allow: 'GET, HEAD', Connection: 'close' });
      } else if (!route) this.#say(exchange, 'unknown');
      else await this.#serve(exchange, route);
    } catch (error) {
      this.#failed(exchange, error);
    }
    const ms = now() - started;
    if (logs !== 'off')
      log.debug('link-request', { ...exchange.fields, method: request.method, status: response.statusCode, ms });
  }

  async #serve(exchange: Exchange, route: Route): Promise<void> {
    const { token, wants } = route;
    const { client } = exchange;
    const link = wants === 'archive' ? undefined : await this.#lookup.link(token, client);
    if (link) {
      await this.#serveLink(exchange, { ...route, link });
      return;
    }
    const page = wants === 'file' ? undefined : await this.#lookup.page(token, client);
    if (page) await this.#servePage(exchange, { ...route, page });
    else this.#say(exchange, 'unknown');
  }

  async #serveLink(exchange: Exchange, { token, wants, link }: Route & { readonly link: Link }): Promise<void> {
    const { now, basePath, frame, shown } = this.#options;
    const state = linkState(link, now());
    if (state !== 'living') this.#say(exchange, state);
    else if (wants === 'file') await this.#files.answer(exchange, link);
    else if (await this.#lookup.hasFile(link, exchange.client)) {
      this.#options.meter.page();
      const href = `${basePath}/${token}/file`;
      sendPage(exchange, frame, {
        status: 200,
        html: filePage(link, { frame, shown, language: exchange.language, href }),
      });
    } else throw new FileMissingError(link.sha256);
  }

  async #servePage(exchange: Exchange, wanted: WantedPage): Promise<void> {
    const nothing =
      wanted.wants === 'archive'
        ? await this.#archives.answer(exchange, wanted.page)
        : await this.#pages.answer(exchange, wanted);
    if (nothing !== undefined) this.#say(exchange, nothing);
  }

  #failed(exchange: Exchange, error: unknown): void {
    const { response, signal, fields, client } = exchange;
    const { log, lines, meter } = this.#options;
    if (error instanceof CorruptFileError) {
      meter.fileCorrupt();
      this.#lookup.setCorrupt(error.sha256);
      lines.error('file-corrupt', error.message, { ...fields, sha256: error.sha256, err: error });
    } else if (error instanceof FileMissingError) {
      lines.error('file-missing', error.sha256, { ...fields, sha256: error.sha256 });
    }
    if (response.headersSent) {
      // `pipeline` has cut the connection already unless the response was complete.
      response.destroy();
      const broken = { ...fields, clientGone: signal.aborted, err: error };
      if (signal.aborted) lines.info('download-broken', client, broken);
      else lines.warn('download-broken', client, broken);
    } else if (error instanceof FileMissingError) {
      this.#say(exchange, 'gone');
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

  #say(exchange: Exchange, name: MessageName, headers: Readonly<Record<string, string>> = {}): void {
    const reason = refusals[name];
    if (reason) this.#options.meter.linkRefused(reason);
    say(exchange, this.#options.frame, { name, headers });
  }
}

/** How an answer is counted in the metrics; other answers are not about a link. */
const refusals: Partial<Record<MessageName, LinkRefusal>> = {
  unknown: 'unknown',
  expired: 'expired',
  allExpired: 'expired',
  revoked: 'revoked',
  allRevoked: 'revoked',
  gone: 'missing',
  allGone: 'missing',
};

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

function forwardedFor(request: IncomingMessage): string | undefined {
  const header = request.headers['x-forwarded-for'];
  return Array.isArray(header) ? header.join(',') : header;
}
