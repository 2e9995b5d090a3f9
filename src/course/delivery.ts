/**
 * The next hop's side of one transaction: holds a session, and replaces a stale one without the client noticing, as
 * long as nothing of the message was sent. Sessions go stale all the time: they die while idle in the pool, and Postfix
 * hangs up after 300 s (10 s under stress) when a file takes that long to arrive or to be stored.
 */
import type { Calls } from '../loopguard/interface.ts';
import type { Log } from '../observe/interface.ts';
import type { Extensions, NextHop, Session } from '../outbound/interface.ts';
import { paramValue, type PathCommand } from '../smtp/command.ts';
import { Failure, failureReply } from '../smtp/failures.ts';
import { describeReply, isPositive, type Reply } from '../smtp/reply.ts';

export interface DeliveryOptions {
  readonly nextHop: NextHop;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly mail: PathCommand;
  /** Address of the client whose message it is; a notification of our own has none. */
  readonly client?: string;
  /** Of the transaction, as in the log. */
  readonly id: string;
  /** What the client said; nothing is handed on when it is empty. */
  readonly xforward: ReadonlyMap<string, string>;
  readonly calls: Calls;
  /** The XDETACH parameter for a next hop that offers it. */
  readonly extendChain: () => string;
}

/**
 * A question to the next hop, and how to prepare a session for it: the session at hand, and the one that replaces it.
 */
interface Question {
  readonly ready: () => Promise<Session>;
  readonly again: () => Promise<Session>;
  readonly ask: (session: Session) => Promise<readonly Reply[]>;
}

/** What is sent, and how long it is. */
interface Content {
  body(): Iterable<Buffer> | AsyncIterable<Buffer>;
  readonly bytesOut: number;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  #session: Session | undefined;
  /** Accepted so far, in order. They are sent again on a session that replaces this one. */
  #accepted: PathCommand[] = [];
  #mailSaid = false;
  #released = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * MAIL, and RCPTs along with it: a reply for each.
   * @throws Failure when no session can be had, or it lacks what the message needs
   */
  async mail(rcpts: readonly PathCommand[] = []): Promise<readonly Reply[]> {
    const replies = await this.#withReplacement({
      ready: () => this.#acquire(false),
      again: () => this.#acquire(true),
      ask: (session) => this.#sayMail(session, rcpts),
    });
    this.#mailSaid = isPositive(replies[0]!);
    this.#takeNote(rcpts, replies.slice(1));
    return replies;
  }

  async rcpt(commands: readonly PathCommand[]): Promise<readonly Reply[]> {
    const replies = await this.#withReplacement({
      ready: () => this.#established(),
      again: () => this.#replace(),
      ask: (session) => {
        requireExtensions(session.extensions, commands.flatMap(rcptNeeds));
        return Promise.all(commands.map((command) => session.rcpt(command)));
      },
    });
    this.#takeNote(commands, replies);
    return replies;
  }

  /** Drops all accepted recipients but these: the envelope is sent again without the others. */
  async restrict(recipients: readonly { readonly command: PathCommand }[]): Promise<void> {
    this.#accepted = recipients.map((recipient) => recipient.command);
    await this.#withReplacement({
      ready: () => this.#established(),
      again: () => this.#replace(),
      ask: async (session) => {
        await session.rset();
        return this.#sayEnvelope(session);
      },
    });
  }

  /**
   * DATA, the message and the final dot.
   *
   * @returns the next hop's verdict: one reply, from an LMTP next hop one for each accepted recipient
   */
  async complete(head: Iterable<Buffer>, content: Content): Promise<readonly Reply[]> {
    const refusal = await this.write(head, content);
    return refusal ? [refusal] : this.finish();
  }

  /** @returns the refusal of DATA, or undefined when all was written but the final dot */
  async write(head: Iterable<Buffer>, content: Content): Promise<Reply | undefined> {
    const [reply = failureReply('internal')] = await this.#withReplacement({
      ready: () => this.#established(),
      again: () => this.#replace(),
      ask: async (session) => {
        requireRoom(session.extensions, content.bytesOut);
        return [await session.data()];
      },
    });
    if (reply.code !== 354) {
      // If a 2xx reply to DATA were passed on, the client would think that the message was accepted, and it would be
      // lost.
      if (reply.code < 400) throw new Failure('nextHopProtocol', { reason: `DATA: ${describeReply(reply)}` });
      return reply;
    }
    this.#options.signal.throwIfAborted();
    const session = this.#session!;
    const end = this.#beginCall(session);
    try {
      await session.write(concat(head, content.body()));
      return undefined;
    } finally {
      end();
    }
  }

  /** Sends the final dot. From then on the message may have been delivered, whatever reply we get. */
  async finish(): Promise<readonly Reply[]> {
    // A client that has gone sends the message again. Completing it here would deliver it twice.
    this.#options.signal.throwIfAborted();
    const session = this.#session;
    if (!session) throw new Failure('nextHopLost');
    const end = this.#beginCall(session);
    try {
      return await session.finish();
    } finally {
      end();
    }
  }

  /** Ends the transaction: nothing more is sent for it. */
  release(): void {
    this.#released = true;
    this.#session?.release();
    this.#session = undefined;
  }

  /** Asks the session. If it is broken or replies 421, asks once more on a new session, whose failure is final. */
  async #withReplacement({ ready, again, ask }: Question): Promise<readonly Reply[]> {
    let end: (() => void) | undefined;
    try {
      const session = await ready();
      end = this.#beginCall(session);
      const replies = await ask(session);
      const closing = replies.find((reply) => reply.code === 421);
      if (!closing) return replies;
      this.#options.log.info('session-replaced', { peer: session.peer, reason: describeReply(closing) });
    } catch (error) {
      if (!(error instanceof Failure) || !this.#isStale(error) || this.#options.signal.aborted) throw error;
      this.#options.log.info('session-replaced', { reason: error.message });
    } finally {
      end?.();
    }
    const session = await again();
    end = this.#beginCall(session);
    try {
      return await ask(session);
    } finally {
      end();
    }
  }

  /**
   * Registers a question as open for as long as the next hop works on it: it may connect back to us, see `Calls`. Each
   * caller does so for its own question. One function that awaits any of them took 4 of the 92 KiB that are allocated
   * for a small message.
   * @returns ends the call
   */
  #beginCall(session: Session): () => void {
    return this.#options.calls.begin({ id: this.#options.id, session: session.local });
  }

  #takeNote(rcpts: readonly PathCommand[], replies: readonly Reply[]): void {
    this.#accepted.push(...rcpts.filter((_, i) => isPositive(replies[i]!)));
  }

  /**
   * A pooled session that does not answer MAIL counts as stale. If a later command gets no answer, the next hop is at
   * fault.
   */
  #isStale(failure: Failure): boolean {
    if (failure.kind === 'nextHopTimeout') return this.#session?.reused === true && !this.#mailSaid;
    return failure.kind === 'nextHopLost';
  }

  async #acquire(fresh: boolean): Promise<Session> {
    this.#session?.release();
    this.#session = undefined;
    const { nextHop, signal, client } = this.#options;
    const session = await nextHop.acquire({ signal, fresh, ...(client !== undefined && { client }) });
    if (this.#released) {
      session.release();
      throw new Failure('clientGone', { reason: 'transaction ended while a session was opened' });
    }
    this.#session = session;
    return session;
  }

  /** The session that our envelope was sent on, or a new one when that is gone. */
  async #established(): Promise<Session> {
    return this.#session?.alive ? this.#session : this.#replace();
  }

  async #replace(): Promise<Session> {
    const session = await this.#acquire(true);
    const end = this.#beginCall(session);
    try {
      await this.#sayEnvelope(session);
      return session;
    } finally {
      end();
    }
  }

  /** Sends MAIL and RCPT again. The replies must agree with those that the client has already got. */
  async #sayEnvelope(session: Session): Promise<readonly Reply[]> {
    const replies = await this.#sayMail(session, this.#accepted);
    const changed = replies.find((reply) => !isPositive(reply));
    if (changed) throw new Failure('nextHopChangedItsMind', { reason: describeReply(changed) });
    return replies;
  }

  async #sayMail(session: Session, rcpts: readonly PathCommand[]): Promise<readonly Reply[]> {
    const { mail, xforward } = this.#options;
    requireExtensions(session.extensions, [...mailNeeds(mail), ...rcpts.flatMap(rcptNeeds)]);
    if (xforward.size > 0) await this.#forward(session);
    return session.envelope(this.#mailCommand(session), rcpts);
  }

  async #forward(session: Session): Promise<void> {
    const { xforward, log, calls, id } = this.#options;
    if (!session.extensions.has('XFORWARD')) return;
    const reply = await session.xforward(calls.mark(xforward, id));
    if (!isPositive(reply)) log.warn('xforward-refused', { peer: session.peer, reply: describeReply(reply) });
  }

  #mailCommand(session: Session): PathCommand {
    const { mail, extendChain } = this.#options;
    // SIZE states the size before detaching, and XDETACH is meant for us only.
    const params = mail.params.filter((param) => !/^(SIZE|XDETACH)(=|$)/i.test(param));
    if (session.extensions.has('XDETACH')) params.push(`XDETACH=${extendChain()}`);
    return { path: mail.path, params };
  }
}

function mailNeeds(mail: PathCommand): string[] {
  const needs: string[] = [];
  if (/^8BITMIME$/i.test(paramValue(mail, 'BODY') ?? '')) needs.push('8BITMIME');
  if (paramValue(mail, 'SMTPUTF8') !== undefined) needs.push('SMTPUTF8');
  if (paramValue(mail, 'RET') !== undefined || paramValue(mail, 'ENVID') !== undefined) needs.push('DSN');
  return needs;
}

function rcptNeeds(rcpt: PathCommand): string[] {
  const uses = paramValue(rcpt, 'NOTIFY') !== undefined || paramValue(rcpt, 'ORCPT') !== undefined;
  return uses ? ['DSN'] : [];
}

/** A passing state of the next hop must not make Postfix bounce or convert the message: 451, never 5xx. */
function requireExtensions(extensions: Extensions, needs: readonly string[]): void {
  const missing = needs.filter((need) => !extensions.has(need));
  if (missing.length > 0)
    throw new Failure('nextHopLacksExtension', { reason: `next hop lacks ${missing.join(', ')}` });
}

/** RFC 1870: the next hop's limit applies to the message that we send, not to the one that we received. */
function requireRoom(extensions: Extensions, size: number): void {
  const limit = Number(extensions.get('SIZE') ?? 0);
  if (limit > 0 && size > limit) {
    throw new Failure('nextHopSizeLimit', { reason: `${size} bytes after detaching, next hop takes ${limit}` });
  }
}

function concat(
  head: Iterable<Buffer>,
  body: Iterable<Buffer> | AsyncIterable<Buffer>,
): Iterable<Buffer> | AsyncIterable<Buffer> {
  return Symbol.iterator in body ? concatSync(head, body) : concatAsync(head, body);
}

function* concatSync(head: Iterable<Buffer>, body: Iterable<Buffer>): Iterable<Buffer> {
  yield* head;
  yield* body;
}

async function* concatAsync(head: Iterable<Buffer>, body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield* head;
  yield* body;
}
