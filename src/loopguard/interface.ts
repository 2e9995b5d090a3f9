import type { HeaderBlock } from '../message/header-block.ts';
import type { PathCommand } from '../smtp/command.ts';
import type { FailureName } from '../smtp/failures.ts';
import type { Reply } from '../smtp/reply.ts';

/** Which of the four tests found the loop. */
export type Fence = 'stamp' | 'count' | 'mirror' | 'chain';

/** What the guard says about one message. `looping[i]` belongs to `recipients[i]`. */
export type Inspection =
  | { readonly kind: 'refuse'; readonly fence: Fence; readonly failure: FailureName; readonly reason: string }
  | { readonly kind: 'pass'; readonly looping: readonly boolean[]; readonly reason: string };

/** A message as it passes this cluster. Mailboxes are byte strings. */
export interface Passage {
  readonly recipients: readonly string[];
  readonly reversePath: string;
  /** Unix time in milliseconds. */
  readonly now: number;
}

export interface Guard {
  /** The name that the replicas share, as it stands in stamps. */
  readonly cluster: string;
  /** Offered in EHLO as `XDETACH <fingerprint>`: a keyed hash, so that it reveals nothing. */
  readonly fingerprint: string;
  /**
   * Checks stamps and counts. Never throws on hostile input. The reverse-path protects blind copies: someone who replays
   * a stamp with another reverse-path does not learn whether it names a recipient.
   */
  inspect(header: HeaderBlock, passage: Passage): Inspection;
  /** The stamp for these recipients: a complete field with its CRLF. */
  stamp(header: HeaderBlock, passage: Passage): string;
  /** Our trace field (RFC 5321 section 4.4), with the cluster's marker: a complete field with its CRLF. */
  received(trace: Trace, now: number): string;
  /** Checks the XDETACH parameter of MAIL (undefined: none came). */
  admits(chain: string | undefined): boolean;
  /** The XDETACH parameter to say to a next hop that offers it, ours added. */
  extendChain(chain: string | undefined): string;
  /** Whether this EHLO keyword value is our own cluster's fingerprint. */
  isOurs(fingerprint: string | undefined): boolean;
}

/** All byte strings. `received` makes what comes from the client safe for a header. */
export interface Trace {
  readonly helo: string;
  readonly address: string;
  /** As registered with IANA: ESMTP, ESMTPS, LMTP, UTF8SMTP, … */
  readonly protocol: string;
  readonly hostname: string;
  readonly id: string;
}

export interface NotificationRequest {
  /** MAIL of the message: reverse-path, RET and ENVID. */
  readonly mail: PathCommand;
  readonly header: HeaderBlock;
  /**
   * The recipients that loop, with NOTIFY and ORCPT, and the reply that each would have got if it had been the only
   * one.
   */
  readonly recipients: readonly { readonly command: PathCommand; readonly reply: Reply }[];
  /** Milliseconds. */
  readonly now: number;
}

/** A message of our own, from the null reverse-path. */
export interface Notification {
  readonly mail: PathCommand;
  readonly rcpt: PathCommand;
  readonly message: Buffer;
}

/** Writes the RFC 3464 notification for recipients that loop; undefined: nobody is to be told. */
export type NotificationWriter = (request: NotificationRequest) => Notification | undefined;

/** A question to the next hop that waits for its answer. */
export interface Call {
  /** Of the transaction, as in the log. */
  readonly id: string;
  /** Our end of the session; undefined on a UNIX socket. */
  readonly session: { readonly address: string; readonly port: number } | undefined;
}

/** What this service has asked its next hop, to see when the next hop asks it back. */
export interface Calls {
  /** @returns a function that ends the call, when the answer has come or nobody waits for it any more */
  begin(call: Call): () => void;
  /** The attributes for the next hop, with the mark of this transaction appended to the client's own IDENT. */
  mark(xforward: ReadonlyMap<string, string>, id: string): ReadonlyMap<string, string>;
  /**
   * Why a MAIL with these attributes was caused by a call of this service that is still open, or undefined when it was
   * not. Every call must have begun before its question was sent.
   */
  causeOf(xforward: ReadonlyMap<string, string>, signal: AbortSignal): Promise<string | undefined>;
}
