/**
 * One message, from the end of its header to our final answer.
 *
 * While the verdict is being worked out, the server gets a progress packet from time to time, which starts its time-out
 * anew. One command is read ahead, so that we notice when the server gives up. The filter's work and the writing of the
 * new body have one deadline; a verdict that is late is a refusal, never an acceptance.
 */
import { unlessAborted } from '../../limits/unless-aborted.ts';
import type { Command } from './commands.ts';
import type { CommandSource } from './command-source.ts';
import type { Answer, MilterClient, MilterEnvelope, MilterFilter, Verdict } from './interface.ts';
import { MessageAborted, MilterError, MilterTimeout } from './milter-error.ts';
import type { OpenMessage } from './open-message.ts';
import type { VerdictWriter } from './verdict-writer.ts';

export interface FilterOptions {
  readonly filter: MilterFilter;
  /** From the last byte of a message to our last word on it. */
  readonly replyWithinMs: number;
  readonly progressEveryMs: number;
}

/** The connection that the message came by. */
interface Peer {
  readonly client: MilterClient;
  readonly macros: ReadonlyMap<string, string>;
  readonly commands: CommandSource;
  readonly writer: VerdictWriter;
  /** Aborted when the connection is closed. */
  readonly closed: AbortSignal;
  readonly remember: (macros: ReadonlyMap<string, string>) => void;
  /** Answers so many packets of body, where the server wants that. */
  readonly takeBody: (count: number) => void;
}

/** Commands which, before our last word, mean that nobody waits for it any more. */
const leaves: ReadonlySet<Command['kind']> = new Set(['abort', 'quit', 'quitNewConnection']);

export class FilteredMessage {
  readonly #message: OpenMessage;
  readonly #options: FilterOptions;
  readonly #peer: Peer;
  readonly #lifetime = new AbortController();
  #ended = false;
  #progress: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(message: OpenMessage, options: FilterOptions, peer: Peer) {
    this.#message = message;
    this.#options = options;
    this.#peer = peer;
  }

  /** @throws MilterError, or the error of the socket */
  async run(): Promise<void> {
    const { closed } = this.#peer;
    const onClose = (): void => this.#lifetime.abort(closed.reason);
    if (closed.aborted) onClose();
    closed.addEventListener('abort', onClose, { once: true });
    try {
      const answer = await this.#answer();
      while (!this.#ended) await this.#nextOfBody();
      await this.#say(answer);
    } catch (error) {
      this.#lifetime.abort(error);
      if (!(error instanceof MessageAborted)) throw error;
    } finally {
      clearInterval(this.#progress);
      clearTimeout(this.#deadline);
      closed.removeEventListener('abort', onClose);
    }
  }

  /** @throws MessageAborted or MilterError; what the filter throws becomes a refusal */
  async #answer(): Promise<Answer> {
    const { filter } = this.#options;
    const { excess, room } = this.#message;
    if (excess) {
      room.release();
      return this.#refused(excess.error);
    }
    const { signal } = this.#lifetime;
    const { header, crowd } = this.#message;
    const asked = filter.message({
      ...this.#envelope,
      crowd,
      header: header.build(),
      room,
      body: this.#body(),
      signal,
    });
    try {
      return await unlessAborted(asked, signal);
    } catch (error) {
      // An answer that comes now is of no use to anybody.
      asked.then((late) => late.done?.(false)).catch(() => undefined);
      if (signal.reason instanceof MessageAborted) throw signal.reason;
      if (error instanceof MessageAborted || error instanceof MilterError) throw error;
      return this.#failed(error);
    }
  }

  #failed(error: unknown): Answer {
    return { verdict: { kind: 'refuse', reply: this.#options.filter.failed(error) } };
  }

  /** The filter is not asked: not all is known of the message. */
  #refused(error: unknown): Answer {
    const reply = this.#options.filter.refused(this.#envelope, error);
    return { verdict: { kind: 'refuse', reply } };
  }

  get #envelope(): MilterEnvelope {
    const { client, macros } = this.#peer;
    const { mail, recipients } = this.#message;
    return { client, macros, mail, recipients };
  }

  async *#body(): AsyncGenerator<Buffer, void, undefined> {
    for (let bytes = await this.#nextOfBody(); bytes; bytes = await this.#nextOfBody())
      if (bytes.length > 0) yield bytes;
  }

  /** Undefined after the end of the message. */
  async #nextOfBody(): Promise<Buffer | undefined> {
    const { commands, remember, takeBody } = this.#peer;
    while (!this.#ended) {
      const command = await commands.next();
      if (!command) throw this.#aborts('the server closed the connection');
      if (command.kind === 'body') {
        if (command.ended > 0) takeBody(command.ended);
        return command.bytes;
      }
      // The last packet of the body comes with the end of the message.
      if (command.kind === 'endOfMessage') {
        this.#ends();
        return command.bytes;
      }
      if (command.kind === 'abort') throw this.#aborts('the server took the message back');
      if (command.kind !== 'macros') throw new MilterError(`${command.kind} within a message`);
      remember(command.macros);
    }
    return undefined;
  }

  /** Nobody waits for a verdict any more: also told by the signal, since a filter may reject with an error of its own. */
  #aborts(reason: string): MessageAborted {
    const aborted = new MessageAborted(reason);
    this.#lifetime.abort(aborted);
    return aborted;
  }

  /** From now on the server waits for our last word. */
  #ends(): void {
    this.#ended = true;
    const { progressEveryMs, replyWithinMs } = this.#options;
    this.#progress = setInterval(() => this.#peer.writer.progress(), progressEveryMs);
    this.#deadline = setTimeout(() => {
      this.#lifetime.abort(new MilterTimeout(`no verdict within ${replyWithinMs} ms`));
    }, replyWithinMs);
    const gone = (): void => void this.#aborts('the server did not wait for the verdict');
    this.#peer.commands.peek().then((next) => {
      if (next === undefined || leaves.has(next.kind)) gone();
    }, gone);
  }

  async #say({ verdict, done }: Answer): Promise<void> {
    const { signal } = this.#lifetime;
    const { writer } = this.#peer;
    let written = false;
    try {
      const last = await this.#change(verdict);
      clearInterval(this.#progress);
      if (signal.reason instanceof MessageAborted) throw signal.reason;
      written = (await writer.end(last)) && last === verdict;
    } finally {
      await done?.(written);
    }
  }

  /**
   * Says what changes. Nothing is carried out before our last word, so that a refusal undoes it.
   * @returns the last word to say
   */
  async #change(verdict: Verdict): Promise<Verdict> {
    const { signal } = this.#lifetime;
    if (verdict.kind === 'refuse') return verdict;
    try {
      await this.#peer.writer.changes(verdict, signal);
      return verdict;
    } catch (error) {
      const reason: unknown = signal.aborted ? signal.reason : error;
      if (reason instanceof MessageAborted) throw reason;
      return { kind: 'refuse', reply: this.#options.filter.failed(reason) };
    }
  }
}
