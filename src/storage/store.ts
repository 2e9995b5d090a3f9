import type { Readable } from 'node:stream';
import type { Config } from '../config/config.ts';
import { AzureBlobs } from './azure/azure-blobs.ts';
import type { ContainerOptions } from './azure/container.ts';
import type { Blobs } from './blobs.ts';
import { type CommitContent, commitContent } from './content.ts';
import type { FileContent, FileRange, Link, LinkIdentity, SignedFile, Store } from './interface.ts';
import { commitLink, readLink } from './links.ts';
import { fileBlob, isSha256, isToken, messageBlob, messageIdOf, tokenOf } from './naming.ts';
import { SharedWork } from './shared-work.ts';
import { neededUntil } from './until.ts';

/** The parts of the configuration that storage reads: the whole of it fits. */
export interface StoreOptions extends ContainerOptions {
  readonly links: Pick<Config['links'], 'secret' | 'expiresAfter'>;
  /** ms since 1970; the system's clock when none is given. */
  readonly now?: () => number;
}

/** The store in the container as configured, or over other blobs. Opens no connection before it is used. */
export function createStore(options: StoreOptions, blobs: Blobs = openBlobs(options)): Store {
  return new BlobStore(options, blobs);
}

/** Where the configuration says that blobs are kept. */
export function openBlobs({ now = Date.now, ...options }: ContainerOptions & Pick<StoreOptions, 'now'>): Blobs {
  return new AzureBlobs({ ...options, now });
}

class BlobStore implements Store {
  readonly #blobs: Blobs;
  readonly #secret: Buffer;
  readonly #expiresAfter: number;
  readonly #now: () => number;
  readonly #uploads = new SharedWork<'stored' | 'present'>();

  constructor({ links, now }: Omit<StoreOptions, 'storage'>, blobs: Blobs) {
    this.#blobs = blobs;
    this.#secret = links.secret;
    this.#expiresAfter = links.expiresAfter;
    this.#now = now ?? Date.now;
  }

  prepare(signal: AbortSignal): Promise<void> {
    return this.#blobs.prepare(signal);
  }

  putFile(file: FileContent, signal: AbortSignal): Promise<'stored' | 'present'> {
    const name = fileBlob(file.sha256);
    const put = (): Promise<'stored' | 'present'> => this.#commit(name, { what: name, content: file, signal });
    return this.#uploads.run(file.sha256, { signal, work: put, joined: 'present' });
  }

  async putLink(identity: LinkIdentity, size: number, signal: AbortSignal): Promise<{ token: string; link: Link }> {
    const token = tokenOf(this.#secret, identity);
    const now = this.#now();
    const wanted = { token, identity, size, expiresAfter: this.#expiresAfter, now, signal };
    return { token, link: await commitLink(this.#blobs, wanted) };
  }

  async putMessage(manifest: Buffer, signal: AbortSignal): Promise<string> {
    const id = messageIdOf(this.#secret, manifest);
    await this.#commit(messageBlob(id), { what: 'manifest', content: manifest, signal });
    return id;
  }

  async getLink(token: string, signal: AbortSignal): Promise<Link | undefined> {
    if (!isToken(token)) return undefined;
    return (await readLink(this.#blobs, token, signal))?.link;
  }

  async getMessage(id: string, signal: AbortSignal): Promise<Buffer | undefined> {
    if (!isToken(id)) return undefined;
    return (await this.#blobs.read(messageBlob(id), { what: 'reading a manifest', signal }))?.bytes;
  }

  async openFile(sha256: string, signal: AbortSignal, range?: FileRange): Promise<Readable | undefined> {
    if (!isSha256(sha256)) return undefined;
    const name = fileBlob(sha256);
    return this.#blobs.open(name, { what: `reading ${name}`, signal, range });
  }

  async fileSize(sha256: string, signal: AbortSignal): Promise<number | undefined> {
    if (!isSha256(sha256)) return undefined;
    const name = fileBlob(sha256);
    return (await this.#blobs.stat(name, { what: `looking for ${name}`, signal }))?.size;
  }

  signedUrl(sha256: string, as: SignedFile): Promise<string> {
    return this.#blobs.signedUrl(fileBlob(sha256), as);
  }

  probe(signal: AbortSignal): Promise<boolean> {
    return this.#blobs.probe(signal);
  }

  #commit(name: string, commit: Omit<CommitContent, 'until'>): Promise<'stored' | 'present'> {
    return commitContent(this.#blobs, name, { ...commit, until: neededUntil(this.#now(), this.#expiresAfter) });
  }
}
