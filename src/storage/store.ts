import type { Readable } from 'node:stream';
import type { ContainerClient } from '@azure/storage-blob';
import type { Config } from '../config/config.ts';
import { Failure } from '../smtp/failures.ts';
import { answered, attempt, missingContainer } from './attempt.ts';
import { type ContainerOptions, openContainer } from './container.ts';
import { commitContent } from './content.ts';
import type { FileContent, FileRange, Link, LinkIdentity, Store } from './interface.ts';
import { commitLink, readLink } from './links.ts';
import { fileBlob, isSha256, isToken, messageBlob, messageIdOf, tokenOf } from './naming.ts';
import { openBlob } from './open-blob.ts';
import { readSmall } from './read-small.ts';
import { UrlSigner } from './signed-url.ts';
import { SharedWork } from './shared-work.ts';
import { neededUntil } from './until.ts';

/** The parts of the configuration that storage reads: the whole of it fits. */
export interface StoreOptions extends ContainerOptions {
  readonly links: Pick<Config['links'], 'secret' | 'expiresAfter'>;
  /** ms since 1970; the system's clock when none is given. */
  readonly now?: () => number;
}

/** Never written: asking for it shows that storage answers and that we may read. */
const probeBlob = 'links/probe';

/** The store in the container as configured. Opens no connection before it is used. */
export function createStore(options: StoreOptions): Store {
  return new BlobStore(options);
}

class BlobStore implements Store {
  readonly #container: ContainerClient;
  readonly #secret: Buffer;
  readonly #expiresAfter: number;
  readonly #now: () => number;
  readonly #signer: UrlSigner;
  readonly #uploads = new SharedWork<'stored' | 'present'>();

  constructor(options: StoreOptions) {
    this.#container = openContainer(options);
    this.#secret = options.links.secret;
    this.#expiresAfter = options.links.expiresAfter;
    this.#now = options.now ?? Date.now;
    this.#signer = new UrlSigner(this.#container, this.#now);
  }

  async prepare(signal: AbortSignal): Promise<void> {
    // Asked first, since an identity that may not create containers can well use one that is there.
    if (await this.#containerAnswers(signal)) return;
    await attempt({ what: 'creating the container', signal }, async ({ signal: abortSignal }) => {
      await this.#container.createIfNotExists({ abortSignal });
    });
  }

  putFile(file: FileContent, signal: AbortSignal): Promise<'stored' | 'present'> {
    const name = fileBlob(file.sha256);
    const put = (): Promise<'stored' | 'present'> => this.#commit(name, name, file, signal);
    return this.#uploads.run(file.sha256, { signal, work: put, joined: 'present' });
  }

  async putLink(identity: LinkIdentity, size: number, signal: AbortSignal): Promise<{ token: string; link: Link }> {
    const token = tokenOf(this.#secret, identity);
    const now = this.#now();
    const wanted = { token, identity, size, expiresAfter: this.#expiresAfter, now, signal };
    const link = await this.#inContainer(signal, () => commitLink(this.#container, wanted));
    return { token, link };
  }

  async putMessage(manifest: Buffer, signal: AbortSignal): Promise<string> {
    const id = messageIdOf(this.#secret, manifest);
    await this.#commit(messageBlob(id), 'manifest', manifest, signal);
    return id;
  }

  async getLink(token: string, signal: AbortSignal): Promise<Link | undefined> {
    if (!isToken(token)) return undefined;
    return (await readLink(this.#container, token, signal))?.link;
  }

  async getMessage(id: string, signal: AbortSignal): Promise<Buffer | undefined> {
    if (!isToken(id)) return undefined;
    const blob = this.#container.getBlobClient(messageBlob(id));
    return (await readSmall(blob, { what: 'reading a manifest', signal }))?.bytes;
  }

  async openFile(sha256: string, signal: AbortSignal, range?: FileRange): Promise<Readable | undefined> {
    if (!isSha256(sha256)) return undefined;
    const name = fileBlob(sha256);
    return openBlob(this.#container.getBlobClient(name), { what: `reading ${name}`, signal, range });
  }

  signedUrl(sha256: string, as: { readonly name: string; readonly type: string }): Promise<string> {
    return this.#signer.sign({ sha256, ...as });
  }

  async probe(signal: AbortSignal): Promise<boolean> {
    return this.#containerAnswers(signal).catch(() => false);
  }

  #commit(
    name: string,
    what: string,
    content: FileContent | Buffer,
    signal: AbortSignal,
  ): Promise<'stored' | 'present'> {
    const until = neededUntil(this.#now(), this.#expiresAfter);
    const blob = this.#container.getBlockBlobClient(name);
    return this.#inContainer(signal, () => commitContent(blob, { what, content, until, signal }));
  }

  /** True when it is there, false when storage says that it is not. */
  #containerAnswers(signal: AbortSignal): Promise<boolean> {
    const looking = attempt({ what: 'asking for the container', signal }, async ({ signal: abortSignal }) => {
      try {
        await this.#container.getBlobClient(probeBlob).getProperties({ abortSignal });
      } catch (error) {
        answered(error, 404);
      }
      return true;
    });
    return looking.catch((error: unknown) => {
      if (lacksContainer(error)) return false;
      throw error;
    });
  }

  /** Whoever deletes the container, or starts us before storage, finds it created again by the next mail. */
  async #inContainer<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!lacksContainer(error)) throw error;
      await this.prepare(signal);
      return work();
    }
  }
}

const lacksContainer = (error: unknown): boolean => error instanceof Failure && error.cause === missingContainer;
