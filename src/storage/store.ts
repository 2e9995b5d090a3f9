import type { Readable } from 'node:stream';
import type { Config } from '../config/config.ts';
import { AzureBlobs } from './azure/azure-blobs.ts';
import type { ContainerOptions } from './azure/container.ts';
import type { Blobs } from './blobs.ts';
import { DirectoryBlobs } from './directory/directory-blobs.ts';
import { commitContent } from './content.ts';
import { formatCrc32, parseCrc32 } from './crc32.ts';
import type {
  FileContent,
  FileRange,
  Link,
  MessageRecords,
  NewMessage,
  Page,
  SignedFile,
  Store,
  StoredFile,
} from './interface.ts';
import { readLink } from './links.ts';
import { CommittedRecords, type RecordOptions } from './message-records.ts';
import { fileBlob, isSha256, isToken, messageBlob } from './naming.ts';
import { readPage } from './pages.ts';
import { SharedWork } from './shared-work.ts';
import { neededUntil } from './until.ts';

/** The parts of the configuration that storage reads: the whole of it fits. */
export interface StoreOptions extends ContainerOptions {
  readonly links: Pick<Config['links'], 'secret' | 'expiresAfter'> & Partial<Pick<Config['links'], 'cdnUrl'>>;
  /** ms since 1970; the system's clock when none is given. */
  readonly now?: () => number;
  /** Told of each link that did not exist before. */
  readonly linkMade?: () => void;
}

/** The store in the container as configured, or over other blobs. Opens no connection before its first use. */
export function createStore(options: StoreOptions, blobs: Blobs = openBlobs(options)): Store {
  const { links, now = Date.now, linkMade } = options;
  const [secret] = links.secret;
  if (secret === undefined) throw new TypeError('links.secret is empty');
  return new BlobStore({ blobs, secret, expiresAfter: links.expiresAfter, now, linkMade });
}

/** Where the configuration says that blobs are kept. */
export function openBlobs({
  now = Date.now,
  links,
  blocking = false,
  ...options
}: ContainerOptions &
  Pick<StoreOptions, 'now'> &
  Partial<Pick<StoreOptions, 'links'>> & {
    /** Of a directory: as in `DirectoryOptions`. */
    readonly blocking?: boolean;
  }): Blobs {
  const { directory, reserve } = options.storage;
  if (directory !== undefined) return new DirectoryBlobs({ directory, reserve, now, blocking });
  return new AzureBlobs({ ...options, now, cdnUrl: links?.cdnUrl });
}

export class BlobStore implements Store {
  readonly #blobs: Blobs;
  readonly #options: RecordOptions;
  readonly #uploads = new SharedWork<'stored' | 'present'>();

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#blobs = options.blobs;
  }

  get wantsMd5(): boolean {
    return this.#blobs.wantsMd5;
  }

  prepare(signal: AbortSignal): Promise<void> {
    return this.#blobs.prepare(signal);
  }

  async openMessage(message: NewMessage, signal: AbortSignal): Promise<MessageRecords> {
    const records = new CommittedRecords(message, this.#options);
    // Below the reserve, mail with files is deferred even if the files are already stored: their records take room too.
    await this.#blobs.requireRoom(0, { what: 'room', signal });
    await records.putIndex(signal);
    return records;
  }

  putFile(file: FileContent, signal: AbortSignal): Promise<'stored' | 'present'> {
    const { now, expiresAfter } = this.#options;
    const name = fileBlob(file.sha256);
    const work = (): Promise<'stored' | 'present'> => {
      const metadata = { crc32: formatCrc32(file.crc32) };
      const until = neededUntil(now(), expiresAfter);
      return commitContent(this.#blobs, name, { what: name, content: file, metadata, until, signal });
    };
    return this.#uploads.run(file.sha256, { signal, work, joined: 'present' });
  }

  async getLink(token: string, signal: AbortSignal): Promise<Link | undefined> {
    if (!isToken(token)) return undefined;
    const link = (await readLink(this.#blobs, token, { signal }))?.link;
    return link?.erasing === undefined ? link : undefined;
  }

  async getPage(token: string, signal: AbortSignal): Promise<Page | undefined> {
    if (!isToken(token)) return undefined;
    return (await readPage(this.#blobs, token, { signal }))?.page;
  }

  async getMessage(id: string, signal: AbortSignal): Promise<Buffer | undefined> {
    if (!isToken(id)) return undefined;
    return (await this.#blobs.read(messageBlob(id), { what: 'reading a manifest', signal }))?.bytes;
  }

  async statFile(sha256: string, signal: AbortSignal): Promise<StoredFile | undefined> {
    if (!isSha256(sha256)) return undefined;
    const name = fileBlob(sha256);
    const found = await this.#blobs.stat(name, { what: `looking at ${name}`, signal });
    return found && { size: found.size, crc32: parseCrc32(found.metadata) };
  }

  async openFile(sha256: string, signal: AbortSignal, range?: FileRange): Promise<Readable | undefined> {
    if (!isSha256(sha256)) return undefined;
    const name = fileBlob(sha256);
    return this.#blobs.open(name, { what: `reading ${name}`, signal, range });
  }

  signedUrl(sha256: string, as: SignedFile): Promise<string> {
    return this.#blobs.signedUrl(fileBlob(sha256), as);
  }

  probe(signal: AbortSignal): Promise<boolean> {
    return this.#blobs.probe(signal);
  }
}
