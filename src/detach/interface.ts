import type { MessageRoom } from '../limits/message-room.ts';
import type { HeaderBlock } from '../message/header-block.ts';

export { maxHeaderBytes, maxHeaderFields } from './receive-header.ts';

export interface DetachedFile {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly sha256: string;
  /** Fingerprint of its token, for the log. */
  readonly link: string;
}

/** A message on its way in: its header block is known, its body still streams. */
export interface Incoming {
  /** The header block as received, before anything was changed. */
  readonly header: HeaderBlock;
  /** Reads the rest and drops it: the message is refused, but the reply must wait for the client's final dot. */
  discard(): Promise<void>;
  /**
   * Reads the rest, moves out what qualifies, commits files, links and manifest.
   * @throws Failure storageFailed (when so configured), spoolFull, messageTooBig, bareLineFeed, clientGone
   */
  detach(envelope: Envelope): Promise<Outgoing>;
  /** Releases the room that the header takes. May be called again. */
  release(): void;
}

export interface Envelope {
  /** Mailboxes as byte strings, '' for the null reverse-path. */
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** Address of the client that sends the message: its share of the spool is limited. */
  readonly client?: string;
  /**
   * Called when the whole message was read. Returns why no file may be taken out of it, or undefined when files may be.
   */
  readonly keepWhole?: () => string | undefined;
}

/** A message ready to be sent on. Holds spool space until `dispose`. */
export interface Outgoing {
  /** The header block without the empty line that ends it; the trace fields go on top of it. */
  readonly header: Buffer;
  /** From the empty line to the end, dots not stuffed. May be read more than once. */
  body(): Iterable<Buffer> | AsyncIterable<Buffer>;
  /** Bytes received, and bytes of header and body to be sent. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly files: readonly DetachedFile[];
  dispose(): Promise<void>;
}

export interface ReceiveOptions {
  readonly signal: AbortSignal;
  readonly client?: string;
  /** Room that the header has taken already, which is given back here. */
  readonly room?: MessageRoom;
}

export interface Detacher {
  /**
   * Reads up to the end of the header block. A long header counts for the share of the spool of `client`.
   * @throws Failure headerTooLarge, spoolFull, and whatever the body rejects with
   */
  receive(body: AsyncIterable<Buffer>, options: ReceiveOptions): Promise<Incoming>;
  /** Room for the header of a message of this client, for who reads it before it is received here. */
  openRoom(client: string | undefined): MessageRoom;
  /** The class of a mailbox (a byte string): recipients of different classes never share a transaction. */
  readonly policyClass: (mailbox: string) => 'detach' | 'exempt';
  /** Writes to the spool. @throws when that is not possible; a message with a large file would be deferred */
  trySpool(): Promise<void>;
  /** Waits for the uploads that go on after their transactions. */
  close(): Promise<void>;
}
