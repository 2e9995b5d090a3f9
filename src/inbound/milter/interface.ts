/**
 * A Milter server (protocol 6) that knows nothing of what its filter does: one call for each message, with envelope,
 * header and a body that streams; the answer is a verdict and the changes.
 *
 *     const server = await startMilterServer({ listen: { port: 9900, host: '127.0.0.1' }, filter });
 *
 * All text is a byte string: one UTF-16 unit per octet (latin1).
 */

import type { MessageRoom } from '../../limits/message-room.ts';

export { MessageAborted, MilterLimitError, MilterTimeout } from './milter-error.ts';

/** The client of the mail server; empty strings where the server did not say. */
export interface MilterClient {
  readonly hostname: string;
  readonly address: string;
  readonly port: number;
  readonly helo: string;
}

export interface MilterPath {
  /** As the client said it, always with angle brackets: `<a@example.com>`, `<>`. */
  readonly path: string;
  /** Parameters of MAIL or RCPT, as said: `SIZE=1000`. */
  readonly parameters: readonly string[];
}

/** What is known of a message before its header. */
export interface MilterEnvelope {
  readonly client: MilterClient;
  readonly mail: MilterPath;
  /** Those that the mail server has accepted. */
  readonly recipients: readonly MilterPath[];
  /** Macros by name, without braces, of the last command that had them: `i` is the queue id where the server knows one. */
  readonly macros: ReadonlyMap<string, string>;
}

/** A message with more recipients, or longer ones, than are kept. */
export interface MilterCrowd {
  /** Of all, also those that are not among `recipients`. */
  readonly recipientCount: number;
  /** Which limit it meets. */
  readonly reason: string;
}

/** One message, from MAIL to its last byte. */
export interface MilterMessage extends MilterEnvelope {
  /** Set where `recipients` has only the first ones. */
  readonly crowd: MilterCrowd | undefined;
  /** The header block as the filter was shown it, lines ended by CRLF, without the empty line that ends it. */
  readonly header: Buffer;
  /** Taken by envelope and header. The filter gives it back when it needs them no more. */
  readonly room: MessageRoom;
  /**
   * What comes after the empty line, as it arrives; a chunk belongs to the reader. May be read once. Throws when the
   * message is aborted or the connection is lost before its end.
   */
  readonly body: AsyncIterable<Buffer>;
  /** Aborted when nobody waits for the verdict any more: the server gave up, or `replyWithinMs` is over. */
  readonly signal: AbortSignal;
}

/** As in RFC 5321 section 4.2; a line begins with its enhanced status code. */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

export type HeaderChange =
  /** `index` 0: above all fields of the message, also the server's own Received field. */
  | { readonly kind: 'insert'; readonly index: number; readonly name: string; readonly value: string }
  /** `index` counts from 1 among the fields of this name; an empty value deletes the field. */
  | { readonly kind: 'change'; readonly index: number; readonly name: string; readonly value: string };

export type Verdict =
  | { readonly kind: 'refuse'; readonly reply: Reply }
  | {
      readonly kind: 'accept';
      /** Carried out in this order. A value begins with the space after the colon; its lines are separated by LF. */
      readonly headerChanges: readonly HeaderChange[];
      /** The new body; undefined: as it was. Read no faster than the server takes it. */
      readonly body?: Iterable<Buffer> | AsyncIterable<Buffer> | undefined;
    };

export interface Answer {
  readonly verdict: Verdict;
  /** Called once, with whether the verdict was written to the server in full. Must not throw. */
  readonly done?: (written: boolean) => Promise<void>;
}

export interface MilterFilter {
  /**
   * Called when the header is complete. What is left of the body when it settles is read and thrown away.
   * Whatever it rejects with is answered by `failed`.
   */
  message(message: MilterMessage): Promise<Answer>;
  /** The reply to what `message` rejected with. */
  failed(error: unknown): Reply;
  /**
   * The reply to a message that the filter is not asked about: a MilterLimitError for its header, or what
   * `MessageRoom.grow` has thrown; then the recipients are forgotten.
   */
  refused(envelope: MilterEnvelope, error: unknown): Reply;
}

/** Something about a connection that is worth a log line. */
export type MilterEvent =
  /** The address is not trusted. */
  | { readonly kind: 'stranger' }
  /** There are already as many connections as allowed. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'protocol-error'; readonly reason: string }
  | { readonly kind: 'connection-error'; readonly reason: string };
