/**
 * All files of a message as one ZIP archive.
 *
 * Holds only the headers of the archive and one chunk. Each file is opened when the one before it was sent, and goes
 * from storage to the socket through `pipeline`, read no faster than the client takes it. A file that fails, is not what
 * was stored, or was withdrawn meanwhile cuts the connection, so that the archive never looks complete.
 */
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exactly, type FileRange, type Page } from '../../storage/interface.ts';
import type { DownloadLog } from '../download/download-log.ts';
import { FileMissingError } from '../download/missing.ts';
import { watchPace } from '../download/pace.ts';
import { planDownload } from '../download/plan.ts';
import { verified } from '../download/verified.ts';
import { type Exchange, fileHeaders } from '../exchange.ts';
import { Gate } from '../gate.ts';
import type { LinkHandlerOptions } from '../options.ts';
import type { Lookup } from '../lookup.ts';
import { isThere, lookAtFiles, type MessageFile, type NothingLeft, nothingLeft } from '../message-files.ts';
import { words } from '../words/languages.ts';
import { Archive, type ArchiveFile, type FilePiece, type Piece } from './archive.ts';
import { entryNames } from './entry-names.ts';

interface Sending {
  readonly archive: Archive;
  readonly range: FileRange;
}

export class ArchiveDownloads {
  readonly #options: LinkHandlerOptions;
  readonly #lookup: Lookup;
  readonly #log: DownloadLog;
  readonly #gate: Gate;
  #requests = 0;

  constructor(options: LinkHandlerOptions, { lookup, log }: { readonly lookup: Lookup; readonly log: DownloadLog }) {
    const { archives, waitMs, sharePerClient } = options.limits;
    this.#options = options;
    this.#lookup = lookup;
    this.#log = log;
    this.#gate = new Gate({ places: archives, waiting: 0, waitMs, sharePerClient });
  }

  /** @returns why there is nothing to download; undefined when the answer was given. @throws BusyError, Failure */
  answer(exchange: Exchange, page: Page): Promise<NothingLeft | undefined> {
    return this.#gate.run(this.#holderOf(exchange), () => this.#answer(exchange, page));
  }

  /** Where many clients share one address, each request counts as a separate client. */
  #holderOf({ client }: Exchange): string {
    return this.#options.sharedBy.has(client) ? `${client} ${++this.#requests}` : client;
  }

  async #answer(exchange: Exchange, page: Page): Promise<NothingLeft | undefined> {
    const { response, language, request } = exchange;
    const looking = { ...this.#options, lookup: this.#lookup, exchange, checked: Infinity };
    const found = await lookAtFiles(page.tokens, looking);
    const files = found.filter(isThere);
    if (files.length === 0) return nothingLeft(found);
    const archive = new Archive(await this.#entries(exchange, files));
    const name = `${words[language].notice.fileName}-${page.created.slice(0, 10)}.zip`;
    const { etag, size } = archive;
    const plan = planDownload({ etag, size, name, contentType: 'application/zip' }, request);
    const { send } = plan;
    response.writeHead(plan.status, fileHeaders(plan.headers));
    if (send === undefined) response.end();
    else await this.#send(exchange, { archive, range: send });
    return undefined;
  }

  #entries({ signal }: Exchange, files: readonly MessageFile[]): Promise<ArchiveFile[]> {
    const names = entryNames(files.map(({ link }) => link));
    return Promise.all(
      files.map(async ({ link, token }, i) => {
        const crc32 = link.crc32 ?? (await this.#options.store.statFile(link.sha256, signal))?.crc32;
        if (crc32 === undefined) throw new Error(`${link.sha256} has no CRC-32`);
        const { sha256, size, created } = link;
        return { name: names[i]!, size, crc32, sha256, token, modified: new Date(created) };
      }),
    );
  }

  async #send(exchange: Exchange, { archive, range }: Sending): Promise<void> {
    const { response } = exchange;
    const pieces = [...archive.slice(range.offset, range.count)];
    const tooSlow = (): void => void response.destroy(new Error('the reader takes nearly nothing'));
    const endWatch = watchPace(response, { limits: this.#options.limits, tooSlow });
    try {
      await pipeline(this.#bytesOf(pieces, exchange.signal), response);
    } finally {
      endWatch();
    }
    const files = pieces.filter(({ kind }) => kind === 'file').length;
    this.#log.done(exchange, { key: archive.etag, delivery: 'archive', bytes: range.count, fields: { files } });
  }

  async *#bytesOf(pieces: readonly Piece[], signal: AbortSignal): AsyncGenerator<Buffer> {
    for (const piece of pieces) {
      if (piece.kind === 'own') yield piece.bytes;
      else yield* this.#bytesOfFile(piece, signal);
    }
  }

  async *#bytesOfFile({ file, offset, count }: FilePiece, signal: AbortSignal): AsyncGenerator<Buffer> {
    const whole = count === file.size;
    // Hours may have passed since the archive began.
    const link = await this.#options.store.getLink(file.token, signal);
    if (link === undefined || link.revoked !== undefined) throw new Error('a file of the archive was withdrawn');
    const bytes = await this.#options.store.openFile(file.sha256, signal, { offset, count });
    if (!bytes) throw new FileMissingError(file.sha256);
    const last = whole ? verified(file.sha256) : new PassThrough();
    const flowing = pipeline(bytes, exactly(count), last);
    // If it fails, `last` fails too, and that error is handled here.
    flowing.catch(() => undefined);
    for await (const chunk of last as AsyncIterable<Buffer>) yield chunk;
    await flowing;
  }
}
