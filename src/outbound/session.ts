import type { PathCommand } from '../smtp/command.ts';
import { Failure } from '../smtp/failures.ts';
import { isPositive, type Reply } from '../smtp/reply.ts';
import type { Channel } from './channel.ts';
import type { Extensions, Session } from './interface.ts';
import { MessageWriter } from './message-writer.ts';
import { xforwardCommands } from './xforward.ts';

const xforwardDone: Reply = { code: 250, lines: ['2.0.0 Ok'] };

/**
 * - `commands`: between messages; MAIL, RCPT, RSET, DATA may be said
 * - `data`: DATA was said, its reply is not here
 * - `message`: 354 came; everything that is sent is message, until the dot
 * - `cut`: the message broke off, nothing can be said any more
 */
type Phase = 'commands' | 'data' | 'message' | 'cut';

interface PathOptions {
  readonly prefix: 'MAIL FROM:' | 'RCPT TO:';
  readonly timeout: number;
}

interface Lending {
  readonly reused: boolean;
  /** Called once. */
  readonly giveBack: () => void;
}

/** Lends a channel to one user, who cannot use it after `release`. */
export class ChannelSession implements Session {
  readonly extensions: Extensions;
  readonly peer: string;
  readonly local: Session['local'];
  readonly reused: boolean;
  readonly #channel: Channel;
  readonly #giveBack: () => void;
  #phase: Phase = 'commands';
  #released = false;
  #acceptedRcpts = 0;
  #writer: MessageWriter | undefined;

  constructor(channel: Channel, { reused, giveBack }: Lending) {
    this.#channel = channel;
    this.extensions = channel.extensions;
    this.peer = channel.peer;
    this.local = channel.local;
    this.reused = reused;
    this.#giveBack = giveBack;
  }

  get alive(): boolean {
    return !this.#released && this.#phase !== 'cut' && this.#channel.alive;
  }

  async xforward(attributes: ReadonlyMap<string, string>): Promise<Reply> {
    this.#require('commands');
    const offered = this.extensions.get('XFORWARD') ?? '';
    const { dialog, timeouts } = this.#channel;
    const commands = xforwardCommands(attributes, offered);
    if (commands.length > 0) this.#channel.resetDue = true;
    const replies = await Promise.all(
      commands.map((line) => dialog.command(line, { verb: 'XFORWARD', timeout: timeouts.xforward })),
    );
    return replies.find((reply) => !isPositive(reply)) ?? xforwardDone;
  }

  async mail(command: PathCommand): Promise<Reply> {
    this.#require('commands');
    this.#channel.resetDue = true;
    this.#acceptedRcpts = 0;
    const { mail, reusedMail } = this.#channel.timeouts;
    return this.#path(command, { prefix: 'MAIL FROM:', timeout: this.reused ? Math.min(reusedMail, mail) : mail });
  }

  async rcpt(command: PathCommand): Promise<Reply> {
    this.#require('commands');
    const reply = await this.#path(command, { prefix: 'RCPT TO:', timeout: this.#channel.timeouts.rcpt });
    if (isPositive(reply)) this.#acceptedRcpts++;
    return reply;
  }

  async envelope(mail: PathCommand, rcpts: readonly PathCommand[]): Promise<readonly Reply[]> {
    const first = this.mail(mail);
    if (this.#channel.pipelining) return Promise.all([first, ...rcpts.map((rcpt) => this.rcpt(rcpt))]);
    const reply = await first;
    // Each RCPT after a refused MAIL would be counted against us as an error, and tells nothing.
    if (!isPositive(reply)) return [reply, ...rcpts.map(() => reply)];
    const replies = [reply];
    for (const rcpt of rcpts) replies.push(await this.rcpt(rcpt));
    return replies;
  }

  async data(): Promise<Reply> {
    this.#require('commands');
    const { dialog, protocol, timeouts } = this.#channel;
    this.#phase = 'data';
    const reply = await dialog.command('DATA', { timeout: timeouts.data });
    if (reply.code >= 400) {
      this.#phase = 'commands';
      this.#channel.countRefusal();
      return reply;
    }
    // RFC 2033 section 4.2: no recipient, no 354. We would wait for replies that nobody owes us.
    if (protocol === 'lmtp' && this.#acceptedRcpts === 0) throw dialog.outOfTurn('DATA without recipients', reply);
    this.#phase = 'message';
    this.#writer = new MessageWriter(dialog, timeouts.block);
    return reply;
  }

  async write(message: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const writer = this.#require('message');
    try {
      if (Symbol.asyncIterator in message) {
        for await (const chunk of message) {
          const full = writer.push(chunk);
          if (full) await full;
        }
      } else {
        for (const chunk of message) {
          const full = writer.push(chunk);
          if (full) await full;
        }
      }
    } catch (error) {
      // The next hop's own reply is the verdict: `finish` returns it.
      if (this.#channel.dialog.interruption) return;
      // This holds also when the source failed: half a message must never get its final dot.
      this.#phase = 'cut';
      throw error;
    }
  }

  async finish(): Promise<readonly Reply[]> {
    const writer = this.#require('message');
    const { dialog, protocol, timeouts } = this.#channel;
    const count = protocol === 'lmtp' ? this.#acceptedRcpts : 1;
    this.#phase = 'cut';
    if (dialog.interruption) return new Array<Reply>(count).fill(dialog.interruption);
    const verdicts: Promise<Reply | Failure>[] = [];
    for (let i = 0; i < count; i++) {
      const verdict = dialog.expectVerdict(timeouts.finalDot);
      verdicts.push(verdict.catch((error: unknown) => Failure.from(error, 'nextHopLost')));
    }
    const dot = { written: false };
    // When this fails, the verdicts fail too.
    writer.end().then(
      () => (dot.written = true),
      () => undefined,
    );
    const replies = this.#verdicts(await Promise.all(verdicts));
    // The next hop replied before it got the final dot. It may never read on, so we do not wait. A refusal is a valid
    // verdict on the part that it read; a positive reply is not, since it cannot have the whole message.
    if (!dot.written) {
      const early = replies.find(isPositive);
      if (early) throw dialog.outOfTurn('the message before its final dot', early);
      dialog.destroy('answered before the final dot');
    }
    this.#phase = 'commands';
    this.#channel.resetDue = false;
    this.#channel.countUse();
    return replies;
  }

  async rset(): Promise<Reply> {
    this.#require('commands');
    this.#acceptedRcpts = 0;
    return this.#channel.reset();
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    // RFC 5321 section 4.1.1.4: without the dot there is no message, however much of it was sent.
    if (this.#phase !== 'commands') this.#channel.dialog.destroy('closed by us before the end of the message');
    this.#giveBack();
  }

  async #path(command: PathCommand, { prefix, timeout }: PathOptions): Promise<Reply> {
    const verb = prefix.slice(0, 4);
    let line = prefix + command.path;
    for (const param of command.params) line += ` ${param}`;
    const reply = await this.#channel.dialog.command(line, { verb, timeout });
    if (!isPositive(reply)) this.#channel.countRefusal();
    return reply;
  }

  /**
   * What was answered stands, also when the connection broke after it: an LMTP recipient that has the message must
   * not be told to expect it again. Only who got no answer is told so.
   */
  #verdicts(verdicts: readonly (Reply | Failure)[]): Reply[] {
    const replies: Reply[] = [];
    for (const verdict of verdicts) {
      if (verdict instanceof Failure) {
        if (replies.length === 0) throw verdict;
        replies.push(verdict.reply);
        continue;
      }
      if (!isPositive(verdict)) this.#channel.countRefusal();
      replies.push(verdict);
    }
    return replies;
  }

  #require(phase: 'message'): MessageWriter;
  #require(phase: 'commands'): void;
  #require(phase: Phase): MessageWriter | undefined {
    const actual = this.#released ? 'released' : this.#phase;
    if (actual === phase) return this.#writer;
    throw new Failure('internal', { reason: `${this.peer}: session is in phase ${actual}, not ${phase}` });
  }
}
