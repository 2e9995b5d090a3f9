import type { PathCommand } from '../smtp/command.ts';
import type { Reply } from '../smtp/reply.ts';

/** EHLO keywords in capitals, each with the rest of its line (RFC 5321 section 4.1.1.1). */
export type Extensions = ReadonlyMap<string, string>;

/** The next hops, in order of preference, and the pool of sessions to them. */
export interface NextHop {
  /** What the next hop offered when a session was last opened; undefined before the first. */
  readonly lastSeen: Extensions | undefined;
  /**
   * An idle session, or a new one. `fresh` asks for a new one: an idle session has just proved stale. `client` is the
   * address for whose mail it is: no client uses all sessions while others are present.
   * @throws Failure nextHopUnreachable, nextHopTls, nextHopAuth, nextHopBusy, mirror
   */
  acquire(options: {
    readonly signal: AbortSignal;
    readonly fresh?: boolean;
    readonly client?: string;
  }): Promise<Session>;
  /** Whether a next hop can be reached now, for `/readyz`. */
  probe(signal: AbortSignal): Promise<boolean>;
  /** Says QUIT on what is idle and waits for what is in use; at `deadline` that is cut. */
  close(deadline?: AbortSignal): Promise<void>;
}

/**
 * One session with the next hop, ours alone from `acquire` to `release`.
 *
 * Every method rejects with a Failure (nextHopLost, nextHopTimeout, nextHopProtocol) when the session broke; it is
 * then poisoned: nothing more is sent on it and `release` closes it. A negative reply is no failure, it is returned.
 */
export interface Session {
  readonly extensions: Extensions;
  /** For the log: `host:port`. */
  readonly peer: string;
  /** Our end of the connection; undefined on a UNIX socket. */
  readonly local: { readonly address: string; readonly port: number } | undefined;
  /** True when this session served a transaction before: it may have died while idle. */
  readonly reused: boolean;
  /** False once the session broke or the next hop closed it. Changes while nobody speaks. */
  readonly alive: boolean;
  /**
   * The attributes (byte strings, not encoded) as one XFORWARD command or several; the first negative reply, or 250.
   * They count for the next transaction only: RSET and the end of a message make Postfix forget them.
   */
  xforward(attributes: ReadonlyMap<string, string>): Promise<Reply>;
  mail(command: PathCommand): Promise<Reply>;
  rcpt(command: PathCommand): Promise<Reply>;
  /** MAIL and the RCPTs again in one go (pipelined where offered): the replies in order. */
  envelope(mail: PathCommand, rcpts: readonly PathCommand[]): Promise<readonly Reply[]>;
  /** DATA: 354, or the refusal. */
  data(): Promise<Reply>;
  /**
   * The message, dot-stuffed on the way, without the final dot. Waits for the socket where it must. Ends early, and
   * closes the source, when the next hop refuses before the dot: `finish` then returns what it said.
   * @throws also what the source throws; the session is then poisoned, half a message never gets its dot
   */
  write(message: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void>;
  /**
   * The final dot. One reply; from an LMTP next hop one per accepted RCPT, in order (RFC 2033 section 4.2). When the
   * session breaks after some of those, they stand, and the failure's reply takes the place of each that is missing.
   */
  finish(): Promise<readonly Reply[]>;
  rset(): Promise<Reply>;
  /** Back to the pool, or closed when it is poisoned, in the middle of a message, or has served its time. */
  release(): void;
}
