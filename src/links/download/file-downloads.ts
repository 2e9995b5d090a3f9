import { pipeline } from 'node:stream/promises';
import { exactly, type FileRange, type Link } from '../../storage/interface.ts';
import { type Exchange, fileHeaders, redirectHeaders } from '../exchange.ts';
import { Gate } from '../gate.ts';
import type { Lookup } from '../lookup.ts';
import type { LinkHandlerOptions } from '../options.ts';
import { contentType } from './content-type.ts';
import type { DownloadLog } from './download-log.ts';
import { FileMissingError } from './missing.ts';
import { watchPace } from './pace.ts';
import { type Plan, planDownload } from './plan.ts';
import { verified } from './verified.ts';

/** Downloads of single files: through this process, or by redirect to storage. */
export class FileDownloads {
  readonly #options: Pick<LinkHandlerOptions, 'delivery' | 'store' | 'lines' | 'limits'>;
  readonly #lookup: Lookup;
  readonly #log: DownloadLog;
  readonly #gate: Gate;

  constructor(options: LinkHandlerOptions, { lookup, log }: { readonly lookup: Lookup; readonly log: DownloadLog }) {
    const { downloads, downloadsWaiting, waitMs, sharePerClient } = options.limits;
    this.#options = options;
    this.#lookup = lookup;
    this.#log = log;
    this.#gate = new Gate({ places: downloads, waiting: downloadsWaiting, waitMs, sharePerClient });
  }

  /** @throws BusyError, FileMissingError, CorruptFileError, Failure */
  async answer(exchange: Exchange, link: Link): Promise<void> {
    const { sha256, size, name, type } = link;
    // Asked first: storage's own 404 page would follow a redirect, HEAD reads no bytes, and a file that is too short
    // is noticed only when the answer has begun.
    if (!(await this.#lookup.hasFile(link, exchange.client))) throw new FileMissingError(sha256);
    if (this.#options.delivery === 'redirect' && (await this.#redirected(exchange, link))) return;
    const representation = { etag: `"${sha256}"`, size, name, contentType: contentType(type) };
    const plan = planDownload(representation, exchange.request);
    const { send } = plan;
    if (send === undefined) exchange.response.writeHead(plan.status, fileHeaders(plan.headers)).end();
    else await this.#gate.run(exchange.client, () => this.#stream(exchange, link, { ...plan, send }));
  }

  /** @returns false when no address could be signed: the bytes can still go through this process */
  async #redirected(exchange: Exchange, link: Link): Promise<boolean> {
    const { store, lines } = this.#options;
    const { sha256, name, type } = link;
    try {
      const location = await store.signedUrl(sha256, { name, type: contentType(type) });
      exchange.response.writeHead(302, redirectHeaders(location)).end();
      this.#log.done(exchange, { key: sha256, delivery: 'redirect', fields: { sha256 } });
      return true;
    } catch (error) {
      lines.warn('redirect-failed', '', { ...exchange.fields, err: error });
      return false;
    }
  }

  async #stream(exchange: Exchange, link: Link, { status, headers, send }: Plan & { readonly send: FileRange }) {
    const { response, signal } = exchange;
    const { store, limits } = this.#options;
    const { sha256 } = link;
    const whole = send.count === link.size;
    const bytes = await store.openFile(sha256, signal, send);
    if (!bytes) throw new FileMissingError(sha256);
    response.writeHead(status, fileHeaders(headers));
    const tooSlow = (): void => void bytes.destroy(new Error('the reader takes nearly nothing'));
    const endWatch = watchPace(response, { limits, tooSlow });
    try {
      // If fewer bytes came than the link says, the client would wait for the rest. Only their hash tells of the file: a
      // file of another size was found by `hasFile`, so another number of bytes is a fault on the way from storage.
      const promised = exactly(send.count);
      if (whole) await pipeline(bytes, promised, verified(sha256), response);
      else await pipeline(bytes, promised, response);
    } finally {
      endWatch();
    }
    this.#log.done(exchange, { key: sha256, delivery: 'stream', bytes: send.count, fields: { sha256 } });
  }
}
