import type { Socket } from 'node:net';
import { atEndOfTurn } from '../runtime/end-of-turn.ts';
import { errorText, Failure, type FailureName } from '../smtp/failures.ts';
import { describeReply, type Reply } from '../smtp/reply.ts';
import { ReplyParser } from '../smtp/reply-parser.ts';
import { Deadline } from './deadline.ts';

export interface DialogOptions {
  /** For the log. */
  readonly peer: string;
  /** Whether the next hop takes commands ahead of its replies (RFC 2920). */
  readonly pipelining: boolean;
}

interface Awaited {
  readonly verb: string;
  readonly timeout: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (failure: Failure) => void;
}

interface Held extends Awaited {
  readonly line: string;
}

/** Names the final dot in failures. */
const finalDot = 'the final dot';

/** How long further verdicts are waited for after a 421. A server that means all of them closes the connection. */
const afterClosingMs = 5000;

/**
 * Commands and replies on one opened socket, for as long as it lives.
 *
 * Replies belong to commands in the order of both. Commands given in one turn of the event loop leave in one write;
 * without PIPELINING each waits for the reply to the one before. Nothing of the message is kept here: what the kernel
 * does not take stays in the socket, and `write` says so by a promise. Any error poisons the dialog for good.
 */
export class Dialog {
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #pipelining: boolean;
  readonly #parser = new ReplyParser();
  /** Sent and not yet answered; those before `#head` are done with. */
  #awaited: Awaited[] = [];
  #head = 0;
  #held: Held[] = [];
  #outbox = '';
  readonly #deadline = new Deadline();
  #drain: { readonly resolve: () => void; readonly reject: (failure: Failure) => void } | undefined;
  #failure: Failure | undefined;
  #inMessage = false;
  #interruption: Reply | undefined;
  /** The 421 with which the next hop ends the session. */
  #farewell: Reply | undefined;
  #onDead: (() => void) | undefined;

  constructor(socket: Socket, options: DialogOptions) {
    this.#socket = socket;
    this.#peer = options.peer;
    this.#pipelining = options.pipelining;
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', () => this.#lost('connection closed'));
    socket.on('close', () => this.#lost('connection closed'));
    socket.on('error', (error) => this.#lost(error.message, error));
  }

  get alive(): boolean {
    return this.#failure === undefined;
  }

  /** A negative reply that came before the final dot: it is the verdict on the message. */
  get interruption(): Reply | undefined {
    return this.#interruption;
  }

  onDead(listener: () => void): void {
    if (this.#failure) listener();
    else this.#onDead = listener;
  }

  /**
   * Sends a line (a byte string without CRLF) and resolves with its reply, negative or not. Failures name the command by
   * `verb`.
   */
  command(
    line: string,
    { verb = line, timeout }: { readonly verb?: string; readonly timeout: number },
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
      } else if (line.includes('\n') || line.includes('\r')) {
        // However such a line came in, the next hop would read it as two commands.
        reject(new Failure('internal', { reason: `line break inside a command: ${JSON.stringify(line)}` }));
      } else if (!this.#pipelining && (this.#head < this.#awaited.length || this.#held.length > 0)) {
        this.#held.push({ verb, line, timeout, resolve, reject });
      } else {
        this.#await({ verb, timeout, resolve, reject });
        this.#send(line);
      }
    });
  }

  /** One more reply to the final dot, which must be the next thing written: replies are in turn again. */
  expectVerdict(timeout: number): Promise<Reply> {
    this.#inMessage = false;
    return new Promise((resolve, reject) => {
      if (this.#failure) reject(this.#failure);
      else this.#await({ verb: finalDot, timeout, resolve, reject });
    });
  }

  /**
   * Sends octets as they are, in one system call where it can. The promise resolves when the next hop has taken most of
   * it.
   */
  write(chunks: readonly Buffer[], timeout: number): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#flush();
    const socket = this.#socket;
    let room = true;
    socket.cork();
    for (const chunk of chunks) room = socket.write(chunk);
    atEndOfTurn(() => socket.uncork());
    if (room) return undefined;
    return new Promise((resolve, reject) => {
      this.#drain = { resolve, reject };
      if (this.#head === this.#awaited.length) this.#expect('a block of the message', timeout);
    });
  }

  /** Says QUIT; dead as soon as it was answered, or after the timeout. */
  quit(timeout: number): void {
    const done = (): void => this.destroy('closed after QUIT');
    this.command('QUIT', { timeout }).then(done, done);
  }

  destroy(reason: string): void {
    this.#fail('nextHopLost', reason);
  }

  /** The reply makes no sense where it stands: whatever comes next cannot be trusted to mean what it says. */
  outOfTurn(verb: string, reply: Reply): Failure {
    return this.#fail('nextHopProtocol', `answered ${verb} with ${describeReply(reply)}`);
  }

  #await(entry: Awaited): void {
    this.#awaited.push(entry);
    if (this.#awaited.length - this.#head === 1) this.#expect(entry.verb, entry.timeout);
  }

  #send(line: string): void {
    if (this.#outbox === '') atEndOfTurn(this.#flush);
    this.#outbox += `${line}\r\n`;
  }

  readonly #flush = (): void => {
    if (this.#outbox === '' || this.#failure) return;
    const text = this.#outbox;
    this.#outbox = '';
    this.#socket.write(text, 'latin1');
  };

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#parser.push(chunk, this.#onReply);
    } catch (error) {
      this.#fail('nextHopProtocol', errorText(error), error);
    }
  };

  readonly #onReply = (reply: Reply): void => {
    if (this.#failure) return;
    const first = this.#awaited[this.#head];
    if (!first) {
      this.#uncalled(reply);
      return;
    }
    const kind = Math.trunc(reply.code / 100);
    // RFC 5321 section 4.3.2: DATA succeeds with 3yz, all else with 2yz. What this one means cannot be known.
    if (kind < 4 && kind !== (first.verb === 'DATA' ? 3 : 2)) {
      this.outOfTurn(first.verb, reply);
      return;
    }
    // Set at once, before the rest of the chunk is read: a reply that follows 354 answers no command of ours.
    if (kind === 3) this.#inMessage = true;
    this.#head++;
    if (this.#head === this.#awaited.length) {
      this.#awaited = [];
      this.#head = 0;
    }
    this.#deadline.lift();
    first.resolve(reply);
    if (reply.code === 421) this.#farewell ??= reply;
    if (this.#farewell) this.#closing(this.#farewell);
    else this.#next();
  };

  #next(): void {
    const waiting = this.#awaited[this.#head];
    if (waiting) {
      this.#expect(waiting.verb, waiting.timeout);
      return;
    }
    const held = this.#held.shift();
    if (!held) return;
    this.#await(held);
    this.#send(held.line);
  }

  /**
   * RFC 5321 section 3.8: 421 is the last reply, so it is the reply to all that still waits for one. But an LMTP server
   * that hands on what others say may mean one recipient by it: who is told 250 after that must not be told to expect the
   * message again.
   */
  #closing(reply: Reply): void {
    const waiting = this.#awaited[this.#head];
    const close = (): void => void this.#fail('nextHopLost', `closed the session: ${describeReply(reply)}`);
    if (waiting?.verb === finalDot) this.#deadline.set(Math.min(afterClosingMs, waiting.timeout), close);
    else close();
  }

  /** No reply is expected now. */
  #uncalled(reply: Reply): void {
    const said = describeReply(reply);
    if (this.#inMessage && reply.code >= 400) {
      // Given up in the middle of the message: this is the verdict, but the session cannot be resynchronised.
      this.#interruption = reply;
      this.#fail('nextHopLost', `answered in the middle of the message: ${said}`);
    } else if (reply.code === 421) {
      this.#fail('nextHopLost', `closed the idle session: ${said}`);
    } else {
      this.#fail('nextHopProtocol', `unsolicited reply: ${said}`);
    }
  }

  readonly #onDrain = (): void => {
    const drain = this.#drain;
    if (!drain) return;
    this.#drain = undefined;
    if (this.#head === this.#awaited.length) this.#deadline.lift();
    drain.resolve();
  };

  #expect(what: string, timeout: number): void {
    this.#deadline.set(timeout, () => this.#fail('nextHopTimeout', `no reply within ${timeout} ms to ${what}`));
  }

  #lost(what: string, cause?: unknown): void {
    const waiting = this.#awaited[this.#head];
    const where = waiting
      ? ` while waiting for the reply to ${waiting.verb}`
      : this.#inMessage
        ? ' in the message'
        : '';
    this.#fail('nextHopLost', `${what}${where}`, cause);
  }

  #fail(kind: FailureName, reason: string, cause?: unknown): Failure {
    if (this.#failure) return this.#failure;
    const failure = new Failure(kind, { reason: `${this.#peer}: ${reason}`, cause });
    this.#failure = failure;
    this.#deadline.close();
    this.#socket.destroy();
    const unanswered = [...this.#awaited.slice(this.#head), ...this.#held];
    this.#awaited = [];
    this.#head = 0;
    this.#held = [];
    for (const waiting of unanswered) {
      if (this.#farewell) waiting.resolve(this.#farewell);
      else waiting.reject(failure);
    }
    this.#drain?.reject(failure);
    this.#drain = undefined;
    this.#onDead?.();
    return failure;
  }
}
