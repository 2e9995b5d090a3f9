import type { Reply } from './reply.ts';

/**
 * Every internal failure, mapped once to what the peer is told. No reply literal of a failure stands anywhere else.
 * The class digit of the enhanced status code (RFC 3463) is the reply code's own first digit.
 */
const table = {
  // the client
  untrustedClient: [554, '7.1', 'access denied: this relay serves its configured neighbours only'],
  tooManyClients: [421, '3.2', 'too many connections, try again later'],
  tooManyClientsFromAddress: [421, '7.0', 'too many connections from this address, try again later'],
  shuttingDown: [421, '3.2', 'service is going down, try again later'],
  clientTimeout: [421, '4.2', 'timeout exceeded'],
  tooManyErrors: [421, '7.0', 'too many errors'],
  commandTooLong: [421, '5.2', 'command line too long'],
  notSmtp: [421, '7.0', 'this is a mail server'],
  unknownCommand: [500, '5.2', 'command not recognized'],
  syntax: [501, '5.4', 'syntax error in parameters or arguments'],
  badSequence: [503, '5.1', 'bad sequence of commands'],
  noRecipients: [554, '5.1', 'no valid recipients'],
  tlsRequired: [530, '7.0', 'must issue a STARTTLS command first'],
  messageTooBig: [552, '3.4', 'message size exceeds fixed limit'],
  bareLineFeed: [550, '5.2', 'bare <LF> or lone <CR> received: lines must end in <CR><LF>'],
  clientGone: [451, '4.2', 'client closed the connection before it was answered'],
  // the next hop
  nextHopUnreachable: [451, '4.1', 'next hop cannot be reached, try again later'],
  nextHopLost: [451, '4.2', 'lost connection with next hop, try again later'],
  nextHopTimeout: [451, '4.2', 'timed out waiting for next hop, try again later'],
  nextHopProtocol: [451, '5.0', 'next hop spoke out of turn, try again later'],
  nextHopChangedItsMind: [451, '4.2', 'next hop was replaced and answered differently, try again later'],
  nextHopLacksExtension: [451, '5.3', 'next hop does not offer what this message needs just now, try again later'],
  nextHopTls: [451, '7.5', 'secure connection to next hop failed, try again later'],
  nextHopAuth: [451, '7.8', 'next hop refused our authentication, try again later'],
  nextHopBusy: [451, '4.5', 'all sessions to next hop are in use, try again later'],
  nextHopSizeLimit: [552, '3.4', 'message is too large for the next hop'],
  oneRecipientPerTransaction: [452, '5.3', 'one recipient per transaction here, send this one next'],
  otherPolicyClass: [452, '5.3', 'recipient is subject to another policy, send it in a transaction of its own'],
  tooManyRecipients: [452, '5.3', 'too many recipients'],
  // loops
  mirror: [451, '3.5', 'mail system configuration error: next hop leads back to this relay'],
  callLoop: [451, '3.5', 'mail system configuration error: relays call one another in a circle'],
  tooManyHops: [554, '4.6', 'too many hops, this message is looping'],
  loop: [554, '4.6', 'mail forwarding loop'],
  notificationRefused: [554, '4.6', 'delivered to the others, mail forwarding loop'],
  notificationFailed: [451, '4.0', 'delivery status notification could not be sent, try again later'],
  // our own resources
  storageFailed: [451, '3.0', 'file storage is not available, try again later'],
  storageFull: [452, '3.1', 'insufficient system storage, try again later'],
  spoolFull: [452, '3.1', 'insufficient system storage, try again later'],
  headerTooLarge: [552, '3.4', 'header of the message is too large'],
  tooSlow: [451, '3.0', 'not finished in time, try again later'],
  internal: [451, '3.0', 'local error in processing, try again later'],
} as const satisfies Record<string, readonly [code: number, detail: string, text: string]>;

export type FailureName = keyof typeof table;

export const failureNames = Object.keys(table) as readonly FailureName[];

/** The wire reply of a failure; `subject` is appended, as in `mail forwarding loop for <u@example.com>`. */
export function failureReply(name: FailureName, subject = ''): Reply {
  const [code, detail, text] = table[name];
  return { code, lines: [`${Math.trunc(code / 100)}.${detail} ${text}${subject}`] };
}

export interface FailureDetails {
  /** Appended to the wire text. A byte string; nothing that the peer must not see. */
  readonly subject?: string;
  /** For the log only: what happened, which command, what was answered. */
  readonly reason?: string;
  /** Name of a blob that is not as it should be. It may hold a token: commands show it, logs do not. */
  readonly record?: string;
  readonly cause?: unknown;
}

/** A failure on its way to the peer: `reply` goes over the wire, `message` (the reason) goes to the log. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureName;
  readonly reply: Reply;
  readonly #record: string | undefined;

  constructor(kind: FailureName, details: FailureDetails = {}) {
    super(details.reason ?? failureReply(kind).lines[0], { cause: details.cause });
    this.kind = kind;
    this.reply = failureReply(kind, details.subject);
    this.#record = details.record;
  }

  get record(): string | undefined {
    return this.#record;
  }

  /** Anything thrown, as a Failure: what is not one already is an internal error, told to nobody but the log. */
  static from(error: unknown, kind: FailureName = 'internal'): Failure {
    if (error instanceof Failure) return error;
    return new Failure(kind, { reason: errorText(error), cause: error });
  }
}

/** The text of anything thrown. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether it is an error of the system with one of these codes, as `ENOENT`. */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

/** The code of an error of the system, as `ENOENT`. */
export const codeOf = (error: unknown, otherwise = 'unknown error'): string =>
  error instanceof Error && 'code' in error ? String(error.code) : otherwise;
