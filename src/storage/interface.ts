/**
 * The door of storage: records of links, files and messages, and the operations that the other rooms need. What is
 * behind it is written once over `blobs.ts`, whatever keeps the blobs.
 */
import type { Readable } from 'node:stream';

export { attachment } from './attachment.ts';
export { exactly } from './exactly.ts';
export { linkState } from './link-record.ts';
export { fingerprintOf, isToken } from './naming.ts';

/** A file as it is stored: its bytes decoded, named by their SHA-256. */
export interface FileContent {
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Opens the bytes of a range for reading; `to` is the first one that is not in it. */
  open(from: number, to: number): Blocks;
}

/**
 * The bytes of a file. A buffer is the reader's until it asks for the next one. A source that may wait for anything
 * but a disk has `destroy`, which ends the wait.
 */
export type Blocks = AsyncIterable<Buffer> & { readonly destroy?: (error?: Error) => unknown };

/** What `links/<token>` holds. Times are ISO 8601 in UTC. */
export interface Link {
  readonly v: 1;
  readonly sha256: string;
  readonly size: number;
  /** Safe for people and file systems; UTF-8. */
  readonly name: string;
  /** Media type in lower case, without parameters. */
  readonly type: string;
  readonly created: string;
  /** null: never. */
  readonly expires: string | null;
  /** Set when the link was revoked: the blob stays as a tombstone. */
  readonly revoked?: string;
  readonly reversePath: string;
  /** Message-ID, or a hash of the header block where there is none. */
  readonly messageIdentity: string;
}

/** What the token of a link is derived from: the same for every retry and every recipient of one message. */
export interface LinkIdentity {
  readonly messageIdentity: string;
  readonly reversePath: string;
  /** Place of the part in the message, as in IMAP's section numbers: `2`, `2.1`. */
  readonly partNumber: string;
  readonly name: string;
  readonly type: string;
  readonly sha256: string;
}

export interface FileRange {
  /** First byte, and how many. */
  readonly offset: number;
  readonly count: number;
}

/** Under which name and type a browser is to save a file. */
export interface SignedFile {
  readonly name: string;
  readonly type: string;
}

/**
 * The blob container. Every method rejects with `Failure('storageFailed')` when storage cannot do it now;
 * "not there" is an answer (undefined), not a failure.
 */
export interface Store {
  /** Creates the container where it is missing. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Commits a file, once however often it is called; raises its `until` first when it is there already. */
  putFile(file: FileContent, signal: AbortSignal): Promise<'stored' | 'present'>;
  /** Commits the link to a stored file. What is there already wins: a retry gets the link of the first try. */
  putLink(
    identity: LinkIdentity,
    size: number,
    signal: AbortSignal,
  ): Promise<{ readonly token: string; readonly link: Link }>;
  /** Commits a manifest and returns its id, a keyed hash of its content. */
  putMessage(manifest: Buffer, signal: AbortSignal): Promise<string>;
  getLink(token: string, signal: AbortSignal): Promise<Link | undefined>;
  getMessage(id: string, signal: AbortSignal): Promise<Buffer | undefined>;
  /** The bytes of a file or of a range of it; undefined when it is gone. */
  openFile(sha256: string, signal: AbortSignal, range?: FileRange): Promise<Readable | undefined>;
  /** Bytes of a file; undefined when it is gone. */
  fileSize(sha256: string, signal: AbortSignal): Promise<number | undefined>;
  /** A short-lived address that the browser can fetch the file from by itself, for `links.delivery: redirect`. */
  signedUrl(sha256: string, as: SignedFile): Promise<string>;
  /** Whether storage answers now, for `/readyz`. */
  probe(signal: AbortSignal): Promise<boolean>;
}

/** What may stand in a log instead of a token: enough to find it again for who has it, useless to who has not. */
export type TokenFingerprint = (token: string) => string;
