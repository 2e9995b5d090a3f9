import type { PathCommand } from '../smtp/command.ts';
import type { Reply } from '../smtp/reply.ts';

/** The client of a connection. All byte strings. Whether it is trusted was decided before, by its address. */
export interface Client {
  readonly address: string;
  readonly helo: string;
  /** As registered with IANA for the `with` clause of Received: SMTP, ESMTP, ESMTPS, LMTP, LMTPS. */
  readonly protocol: string;
  /** Attributes of XFORWARD, decoded; empty when none came. */
  readonly xforward: ReadonlyMap<string, string>;
}

/** Who sent MAIL, and what came with it. */
export interface Sent {
  readonly client: Client;
  /** What a pipelining client sent right behind MAIL (RFC 2920). */
  readonly rcpts: readonly PathCommand[];
}

/** The mail transactions of one connection, one after the other. Replies go to the wire as they are. */
export interface Transactions {
  /** MAIL, and the RCPTs behind it: a reply for each, in order. */
  mail(command: PathCommand, sent: Sent): Promise<readonly Reply[]>;
  /** One RCPT, or those that came together: a reply for each, in order. */
  rcpt(commands: readonly PathCommand[]): Promise<readonly Reply[]>;
  /** Why DATA cannot be taken now, or undefined: then `data` must be called. */
  refuseData(): Reply | undefined;
  /**
   * Takes the message. One reply, or for an LMTP client one per accepted recipient, in order. When it settles before
   * the body has ended, the rest of the body is read and thrown away before the reply is written.
   */
  data(body: AsyncIterable<Buffer>): Promise<readonly Reply[]>;
  /** RSET, EHLO, STARTTLS: the transaction is over. */
  reset(): void;
  /** The connection is gone: whatever is under way is abandoned, unless it is committed already. */
  close(): void;
}

/** What EHLO offers. Asked for every EHLO, because it follows what the next hop offered last. */
export interface Offers {
  /** `8BITMIME`, `SMTPUTF8`, `DSN`, `XDETACH <fingerprint>`. */
  extensions(): readonly string[];
}

/** How a front door closes. */
export interface Closing {
  /** Aborted: idle clients are sent away at once. Before that, only those that have been idle for a while. */
  readonly hurry: AbortSignal;
  /** Aborted: what is still under way is cut. */
  readonly deadline: AbortSignal;
}
