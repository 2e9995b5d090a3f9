import type { Readable } from 'node:stream';
import {
  type BlobItem,
  type BlockBlobClient,
  type ContainerClient,
  type ContainerListBlobFlatSegmentResponse,
  RestError,
} from '@azure/storage-blob';
import { Failure } from '../../smtp/failures.ts';
import type { Blobs, BlobState, Conditional, ListedBlob, Metadata, NewBlob, Request } from '../blobs.ts';
import type { FileRange, SignedFile } from '../interface.ts';
import { answered, attempt, missingContainer } from './attempt.ts';
import { stateOf } from './blob-state.ts';
import { type ContainerOptions, openContainer } from './container.ts';
import { openBlob } from './open-blob.ts';
import { readSmall } from './read-small.ts';
import { UrlSigner, type UrlSignerOptions } from './signed-url.ts';
import { putBuffer, upload } from './upload.ts';

/** A blob that is never written: asking for it shows that storage answers and that we may read. */
const probeBlob = 'links/probe';

/** Blobs of one page of a listing: Azure's own limit. */
const pageSize = 5000;
/** How often a page is asked for whose answer breaks off. */
const maxPageTries = 3;
/** Time for a page, all tries together: some megabytes, over a slow line. */
const pageMs = 60_000;

/** Blobs in one container of an Azure storage account. */
export class AzureBlobs implements Blobs {
  readonly wantsMd5 = true;
  readonly #container: ContainerClient;
  readonly #signer: UrlSigner;

  constructor(options: ContainerOptions & UrlSignerOptions) {
    this.#container = openContainer(options);
    this.#signer = new UrlSigner(this.#container, options);
  }

  async prepare(signal: AbortSignal): Promise<void> {
    // Asked first: an identity without the right to create containers can still use an existing one.
    if (await this.#containerAnswers(signal)) return;
    await attempt({ what: 'creating the container', signal }, async ({ signal: abortSignal }) => {
      await this.#container.createIfNotExists({ abortSignal });
    });
  }

  async probe(signal: AbortSignal): Promise<boolean> {
    return this.#containerAnswers(signal).catch(() => false);
  }

  requireRoom(): Promise<void> {
    return Promise.resolve();
  }

  stat(name: string, request: Request): Promise<BlobState | undefined> {
    return attempt(request, async ({ signal: abortSignal }) => {
      try {
        return stateOf(await this.#blob(name).getProperties({ abortSignal }));
      } catch (error) {
        answered(error, 404);
        return undefined;
      }
    });
  }

  read(name: string, request: Request): Promise<(BlobState & { readonly bytes: Buffer }) | undefined> {
    return readSmall(this.#blob(name), request);
  }

  open(name: string, request: Request & { readonly range: FileRange | undefined }): Promise<Readable | undefined> {
    return openBlob(this.#blob(name), request);
  }

  create(name: string, blob: NewBlob): Promise<boolean> {
    return this.#inContainer(blob.signal, () => upload(this.#blob(name), blob));
  }

  touch(name: string, request: Request): Promise<void> {
    return this.#inContainer(request.signal, () =>
      attempt(request, async ({ signal: abortSignal }) => {
        await this.#blob(name).upload('', 0, { abortSignal });
      }),
    );
  }

  replace(
    name: string,
    { content, metadata, etag, ...request }: Conditional & { readonly content: Buffer; readonly metadata: Metadata },
  ): Promise<boolean> {
    const options = { metadata: { ...metadata }, conditions: { ifMatch: etag } };
    return conditionally(request, (abortSignal) => putBuffer(this.#blob(name), content, { ...options, abortSignal }));
  }

  setMetadata(
    name: string,
    { metadata, etag, ...request }: Conditional & { readonly metadata: Metadata },
  ): Promise<boolean> {
    const conditions = { ifMatch: etag };
    return conditionally(request, (abortSignal) =>
      this.#blob(name).setMetadata({ ...metadata }, { abortSignal, conditions }),
    );
  }

  delete(name: string, { etag, ...request }: Conditional): Promise<boolean> {
    const conditions = { ifMatch: etag };
    return conditionally(request, (abortSignal) => this.#blob(name).delete({ abortSignal, conditions }));
  }

  async *list(prefix: string, request: Request): AsyncIterable<readonly ListedBlob[]> {
    let continuationToken: string | undefined;
    do {
      const { segment, ...page } = await this.#page(prefix, { ...request, continuationToken });
      continuationToken = page.continuationToken;
      yield segment.blobItems.map(listed);
    } while (continuationToken);
  }

  /** A page of a listing, asked for again when the connection breaks within it. */
  #page(
    prefix: string,
    { continuationToken, ...request }: Request & { readonly continuationToken: string | undefined },
  ) {
    return attempt({ ...request, idleMs: pageMs }, async ({ signal: abortSignal }) => {
      for (let tries = 1; ; tries += 1) {
        const pages = this.#container
          .listBlobsFlat({ prefix, includeMetadata: true, abortSignal })
          .byPage({ maxPageSize: pageSize, ...(continuationToken !== undefined && { continuationToken }) });
        try {
          return (await pages.next()).value as ContainerListBlobFlatSegmentResponse;
        } catch (error) {
          if (tries >= maxPageTries || !brokeOff(error)) throw error;
        }
      }
    });
  }

  async *names(prefix: string, request: Request): AsyncIterable<readonly string[]> {
    for await (const page of this.list(prefix, request)) yield page.map(({ name }) => name);
  }

  /** Azure itself removes the blocks of unfinished uploads after a week. */
  removeLeftovers(): Promise<number> {
    return Promise.resolve(0);
  }

  signedUrl(name: string, file: SignedFile): Promise<string> {
    return this.#signer.sign(name, file);
  }

  #blob(name: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(name);
  }

  /** Whether the container exists. */
  async #containerAnswers(signal: AbortSignal): Promise<boolean> {
    try {
      await this.stat(probeBlob, { what: 'asking for the container', signal });
      return true;
    } catch (error) {
      if (lacksContainer(error)) return false;
      throw error;
    }
  }

  /** Creates a missing container when the next mail needs it. */
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

/** The SDK itself tries again only what failed before an answer came. */
const brokeOff = (error: unknown): boolean => error instanceof RestError && error.code === RestError.PARSE_ERROR;

const lacksContainer = (error: unknown): boolean => error instanceof Failure && error.cause === missingContainer;

/** @returns false when the condition does not hold: changed or deleted since */
function conditionally(request: Request, change: (abortSignal: AbortSignal) => Promise<unknown>): Promise<boolean> {
  return attempt(request, async ({ signal }) => {
    try {
      await change(signal);
      return true;
    } catch (error) {
      answered(error, 404, 409, 412);
      return false;
    }
  });
}

function listed({ name, properties, metadata = {} }: BlobItem): ListedBlob {
  const { contentLength = 0, etag, lastModified } = properties;
  // Listings give the ETag bare, everything else gives it in quotes.
  return {
    name,
    size: contentLength,
    etag: `"${etag.replaceAll('"', '')}"`,
    metadata,
    modified: lastModified.getTime(),
  };
}
