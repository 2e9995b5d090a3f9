import type { Readable } from 'node:stream';
import type { OnDamage } from './damaged-record.ts';
import type { FileContent, FileRange, SignedFile } from './interface.ts';

/** Short ASCII values beside the bytes of a blob; names in lower case. */
export type Metadata = Readonly<Record<string, string>>;

/** What is known of a blob without its bytes. */
export interface BlobState {
  readonly size: number;
  /** Stands for exactly this version, bytes and metadata. */
  readonly etag: string;
  readonly metadata: Metadata;
  /** When it was written last: ms since 1970. */
  readonly modified: number;
}

export interface ListedBlob extends BlobState {
  readonly name: string;
}

/** What is stored: bytes in memory, or a reader of so many bytes. */
export type Content = Buffer | Pick<FileContent, 'size' | 'open' | 'md5'>;

export const sizeOf = (content: Content): number => (Buffer.isBuffer(content) ? content.length : content.size);

export interface Request {
  /** For the log: which operation on what; never a token. */
  readonly what: string;
  readonly signal: AbortSignal;
}

export interface NewBlob extends Request {
  readonly content: Content;
  readonly metadata: Metadata;
}

/** Reads many blobs. Those that cannot be read are left out where `damaged` is told of them, and end it otherwise. */
export interface Listing extends Request {
  readonly damaged?: OnDamage | undefined;
}

/** A change that is made only while the blob is still the version that was judged. */
export interface Conditional extends Request {
  readonly etag: string;
}

/**
 * Where blobs are kept: the few operations over which links, files, manifests and the index are written once.
 *
 * Names are `files/<sha256>`, `links/<token>` and the like: a kind, then one or two segments, in the characters of hex
 * and base64url. Everything that changes a blob is atomic and durable when it resolves. Every method rejects with
 * `Failure('storageFailed')` when it cannot be done now (a `DamagedRecord` when one blob alone cannot be read), `Failure('storageFull')` when there is no room; "not there"
 * and "changed by others" are answers.
 */
export interface Blobs {
  /** Whether contents should come with MD5 sums, by which the service checks what arrives. */
  readonly wantsMd5: boolean;
  /** Creates what the blobs are kept in where it is missing. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Whether it answers now. */
  probe(signal: AbortSignal): Promise<boolean>;
  stat(name: string, request: Request): Promise<BlobState | undefined>;
  /** A whole blob that is small by nature. */
  read(name: string, request: Request): Promise<(BlobState & { readonly bytes: Buffer }) | undefined>;
  /** The bytes of a blob or of a range of it. */
  open(name: string, request: Request & { readonly range: FileRange | undefined }): Promise<Readable | undefined>;
  /** @throws Failure storageFull when files of so many bytes more would take room that is reserved */
  requireRoom(bytes: number, request: Request): Promise<void>;
  /** @returns false when there is one already: nothing was changed */
  create(name: string, blob: NewBlob): Promise<boolean>;
  /**
   * Creates an empty blob, or renews an existing one: its ETag changes, so nothing that judged it before can delete it.
   */
  touch(name: string, request: Request): Promise<void>;
  /** Replaces the bytes (of a small blob) and the metadata. @returns false when it is not that version any more */
  replace(
    name: string,
    blob: Conditional & { readonly content: Buffer; readonly metadata: Metadata },
  ): Promise<boolean>;
  /** @returns false when it is not that version any more */
  setMetadata(name: string, change: Conditional & { readonly metadata: Metadata }): Promise<boolean>;
  /** @returns false when it is not that version any more */
  delete(name: string, condition: Conditional): Promise<boolean>;
  /**
   * Blobs whose name begins with the prefix, in pages. Shards of the names come in order; within a shard the order is
   * arbitrary.
   */
  list(prefix: string, request: Listing): AsyncIterable<readonly ListedBlob[]>;
  /**
   * The names alone. A directory does not read the records for that, so names of deleted blobs may be among them that a
   * crash has left.
   */
  names(prefix: string, request: Listing): AsyncIterable<readonly string[]>;
  /**
   * Removes what crashes have left behind and nothing reads: what is older than `before`, ms since 1970.
   * @returns how many
   */
  removeLeftovers(request: Listing & { readonly before: number; readonly dryRun: boolean }): Promise<number>;
  /** An address from which a browser can fetch the blob by itself. */
  signedUrl(name: string, file: SignedFile): Promise<string>;
}
