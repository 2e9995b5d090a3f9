/**
 * The door of storage: records of links, files and messages, and the operations that the other rooms need. The
 * implementation works over `blobs.ts`, and so over every kind of storage.
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
  readonly crc32: number;
  /** MD5 of every `md5Bytes` of it, in base64, where `Store.wantsMd5`. */
  readonly md5?: readonly string[];
  /** Opens the bytes of a range for reading; `to` is the first one that is not in it. */
  open(from: number, to: number): Blocks;
}

/**
 * The bytes of a file. A buffer belongs to the reader until it asks for the next one. A source that may wait for more
 * than a disk has `destroy`, which ends the wait.
 */
export type Blocks = AsyncIterable<Buffer> & { readonly destroy?: (error?: Error) => unknown };

/** What `links/<token>` holds. Times are ISO 8601 in UTC. */
export interface Link {
  /** 1: written before there was an index. */
  readonly v: 1 | 2;
  readonly sha256: string;
  readonly size: number;
  /** CRC-32 of the bytes, for ZIP archives; links of version 1 have none. */
  readonly crc32?: number;
  /** Safe for people and file systems; UTF-8. */
  readonly name: string;
  /** Media type in lower case, without parameters. */
  readonly type: string;
  readonly created: string;
  /** null: never. */
  readonly expires: string | null;
  /** Set when the link was revoked: the blob stays as a tombstone. */
  readonly revoked?: string;
  /** Set while the link is held: it works past its end, and nothing deletes what it needs. */
  readonly held?: string;
  /** Set while `erase` removes what belongs to the link: everything else treats the link as missing. */
  readonly erasing?: string;
  /** A byte string. */
  readonly reversePath: string;
  /** Message-ID, or a hash of the header block where there is none. A byte string. */
  readonly messageIdentity: string;
  /** The From and Subject fields as stated in the mail, decoded: nobody vouches for them. */
  readonly from?: string;
  readonly subject?: string;
  /** Addresses under which the index finds the link: reverse-path and From, as `senderForm` has them. */
  readonly senders?: readonly string[];
  /** The page of the message, when it has several files. */
  readonly page?: string;
  /** Version 1 was brought into the index: there may be recipients that no record names. */
  readonly beforeIndex?: true;
}

/** What `pages/<token>` holds: the page of a message of several files. */
export interface Page {
  readonly v: 1;
  /** The links, in the order of the message. Some may be gone, or revoked. */
  readonly tokens: readonly string[];
  readonly created: string;
  readonly reversePath: string;
  readonly messageIdentity: string;
  readonly from?: string;
  readonly subject?: string;
}

/** A file on its way to storage, as the message has it. */
export interface NewFile {
  /** Place of the part in the message, as in IMAP's section numbers: `2`, `2.1`. */
  readonly partNumber: string;
  readonly name: string;
  readonly type: string;
  readonly sha256: string;
  readonly size: number;
  readonly crc32: number;
}

/** A message whose files are detached, in one transaction. */
export interface NewMessage {
  readonly messageIdentity: string;
  /** Byte strings, '' for the null reverse-path. */
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** The values of the fields as received, unfolded. */
  readonly from: string | undefined;
  readonly subject: string | undefined;
  readonly files: readonly NewFile[];
}

/** What the token of a link is derived from: the same for every retry and every recipient of one message. */
export type LinkIdentity = Pick<NewMessage, 'messageIdentity' | 'reversePath'> &
  Pick<NewFile, 'partNumber' | 'name' | 'type' | 'sha256'>;

/**
 * The records of one message in one transaction. The index is committed before this object is returned; then the files
 * are stored, each followed by its link; `finish` commits the rest, and only after that the message may be answered.
 */
export interface MessageRecords {
  /** One for each file, in their order. */
  readonly tokens: readonly string[];
  /** The token of the page with all files; undefined when there is only one file. */
  readonly page: string | undefined;
  /** Commits the link to a stored file. An existing link stays: a retry gets the link of the first try. */
  putLink(index: number, signal: AbortSignal): Promise<Link>;
  /** Commits page, recipients and manifest. @returns the manifest's id, a keyed hash of its content */
  finish(manifest: Buffer, signal: AbortSignal): Promise<string>;
}

export interface FileRange {
  /** First byte, and how many. */
  readonly offset: number;
  readonly count: number;
}

export interface StoredFile {
  /** Bytes. */
  readonly size: number;
  /** Files stored by the first version have none. */
  readonly crc32: number | undefined;
}

/** Name and type under which a browser saves a file. */
export interface SignedFile {
  readonly name: string;
  readonly type: string;
}

/**
 * The blob container. Every method rejects with `Failure('storageFailed')` when storage cannot do it now;
 * "not there" is an answer (undefined), not a failure.
 */
export interface Store {
  /** Whether files should come with MD5 sums, by which the service checks what arrives. */
  readonly wantsMd5: boolean;
  /** Creates the container where it is missing. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Commits a file. A file that is already stored is not sent again: its `until` is raised. */
  putFile(file: FileContent, signal: AbortSignal): Promise<'stored' | 'present'>;
  /** Commits the index of a message, before its files are looked for. */
  openMessage(message: NewMessage, signal: AbortSignal): Promise<MessageRecords>;
  getLink(token: string, signal: AbortSignal): Promise<Link | undefined>;
  getPage(token: string, signal: AbortSignal): Promise<Page | undefined>;
  getMessage(id: string, signal: AbortSignal): Promise<Buffer | undefined>;
  /** What is stored under that hash; undefined when it is gone. */
  statFile(sha256: string, signal: AbortSignal): Promise<StoredFile | undefined>;
  /** The bytes of a file or of a range of it; undefined when it is gone. */
  openFile(sha256: string, signal: AbortSignal, range?: FileRange): Promise<Readable | undefined>;
  /** A short-lived address that the browser can fetch the file from by itself, for `links.delivery: redirect`. */
  signedUrl(sha256: string, as: SignedFile): Promise<string>;
  /** Whether storage answers now, for `/readyz`. */
  probe(signal: AbortSignal): Promise<boolean>;
}

/** Identifies a token in logs without revealing it. */
export type TokenFingerprint = (token: string) => string;
