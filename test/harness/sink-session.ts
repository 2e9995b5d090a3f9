import type { Socket } from 'node:net';
import { unstuff } from './dot-stuffing.ts';
import { reset } from './reset.ts';
import { WireText } from './wire-text.ts';

export type SinkStage =
  'greeting' | 'ehlo' | 'xforward' | 'mail' | 'rcpt' | 'data' | 'message' | 'rset' | 'quit' | 'other';

/** Something the client did, before it is answered. */
export interface SinkEvent {
  readonly stage: SinkStage;
  /** The command as received, a byte string; '' for the greeting and after a message. */
  readonly line: string;
  /** Counted from 1, over all sessions of the sink. */
  readonly session: number;
  /** At `rcpt` the one just named; at `message` with LMTP the one being answered for. A byte string. */
  readonly recipient: string | undefined;
  /** At `message`: what came in. */
  readonly message: SinkMessage | undefined;
}

/**
 * A reply (lines joined by LF, codes included), or `close`, `reset` or `silence` instead of one; undefined: the reply
 * of a good server.
 */
export type SinkAnswer = string | undefined;

export interface SinkMessage {
  readonly from: string;
  readonly to: readonly string[];
  /** Commands as received. */
  readonly mailLine: string;
  readonly rcptLines: readonly string[];
  readonly xforward: readonly string[];
  readonly helo: string;
  readonly session: number;
  /** Dots unstuffed; empty when the sink does not keep them. */
  readonly data: Buffer;
  /** As on the wire, up to and with the CRLF before the final dot. */
  readonly size: number;
}

export interface SinkBehaviour {
  readonly protocol: 'smtp' | 'lmtp';
  readonly extensions: readonly string[];
  readonly keepData: boolean;
  answer(event: SinkEvent): SinkAnswer | Promise<SinkAnswer>;
  heard(line: string): void;
  accepted(message: SinkMessage): void;
}

/** One session of the sink: reads commands and messages in order, however they are divided into packets. */
export class SinkSession {
  readonly #socket: Socket;
  readonly #number: number;
  readonly #behaviour: SinkBehaviour;
  readonly #wire = new WireText();
  #helo = '';
  #xforward: string[] = [];
  #mail: string | undefined;
  #rcpts: { readonly line: string; readonly path: string }[] = [];

  constructor(socket: Socket, number: number, behaviour: SinkBehaviour) {
    this.#socket = socket;
    this.#number = number;
    this.#behaviour = behaviour;
  }

  async run(): Promise<void> {
    if (!(await this.#reply('greeting', '220 sink.example.net ESMTP'))) return;
    const chunks = this.#socket[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    const more = async (): Promise<boolean> => {
      const { value } = await chunks.next();
      if (value) this.#wire.push(value);
      return value !== undefined;
    };
    for (;;) {
      const line = this.#wire.takeLine()?.replace(/\r?\n$/, '');
      if (line === undefined) {
        if (await more()) continue;
        return;
      }
      this.#behaviour.heard(line);
      const answer = await this.#command(line);
      if (answer === undefined || (answer.startsWith('354') && !(await this.#message(more)))) return;
    }
  }

  async #command(line: string): Promise<string | undefined> {
    const { extensions } = this.#behaviour;
    const verb = /^[A-Za-z]*/.exec(line)?.[0].toUpperCase() ?? '';
    switch (verb) {
      case 'EHLO':
      case 'LHLO':
      case 'HELO': {
        this.#helo = line.slice(5);
        const offer = verb === 'HELO' ? ['sink.example.net'] : ['sink.example.net', ...extensions];
        const last = offer.length - 1;
        return this.#reply('ehlo', offer.map((word, i) => `250${i === last ? ' ' : '-'}${word}`).join('\n'), { line });
      }
      case 'XFORWARD':
        this.#xforward.push(line.slice(9));
        return this.#reply('xforward', '250 2.0.0 Ok', { line });
      case 'MAIL':
        return this.#reply('mail', '250 2.1.0 Ok', { line, then: () => (this.#mail = line) });
      case 'RCPT': {
        const path = pathOf(line);
        const then = (): void => void this.#rcpts.push({ line, path });
        return this.#reply('rcpt', '250 2.1.5 Ok', { line, recipient: path, then });
      }
      case 'DATA':
        return this.#reply('data', '354 go ahead', { line });
      case 'RSET':
        this.#reset();
        return this.#reply('rset', '250 2.0.0 Ok', { line });
      case 'QUIT':
        await this.#reply('quit', '221 2.0.0 Bye', { line });
        this.#socket.end();
        return undefined;
      default:
        return this.#reply('other', verb === 'NOOP' ? '250 2.0.0 Ok' : '502 5.5.2 what?', { line });
    }
  }

  /** Reads up to the final dot and answers. @returns whether the session goes on */
  async #message(more: () => Promise<boolean>): Promise<boolean> {
    const kept: Buffer[] = [];
    let size = 0;
    for (let ended = false; !ended;) {
      const piece = this.#wire.takeMessage();
      if (this.#behaviour.keepData) kept.push(piece.bytes);
      size += piece.bytes.length;
      ended = piece.ended;
      if (!ended && !(await more())) return false;
    }
    const rcpts = this.#rcpts;
    const message: SinkMessage = {
      from: pathOf(this.#mail ?? ''),
      to: rcpts.map(({ path }) => path),
      mailLine: this.#mail ?? '',
      rcptLines: rcpts.map(({ line }) => line),
      xforward: this.#xforward,
      helo: this.#helo,
      session: this.#number,
      data: unstuff(Buffer.concat(kept)),
      size,
    };
    this.#reset();
    const then = (): void => this.#behaviour.accepted(message);
    if (this.#behaviour.protocol === 'smtp') {
      return (await this.#reply('message', '250 2.0.0 Ok: queued as SINK', { message, then })) !== undefined;
    }
    for (const { path } of rcpts) {
      const one = { ...message, to: [path] };
      const options = { message: one, recipient: path, then: () => this.#behaviour.accepted(one) };
      if ((await this.#reply('message', `250 2.0.0 <${path}> Saved`, options)) === undefined) return false;
    }
    return true;
  }

  #reset(): void {
    this.#mail = undefined;
    this.#rcpts = [];
    this.#xforward = [];
  }

  /**
   * Answers. For a 2xx reply, `then` runs before the reply is written, so that its effect is visible to a client that
   * has the reply.
   * @returns the answer given, undefined when the session is over
   */
  async #reply(
    stage: SinkStage,
    usual: string,
    options: {
      readonly line?: string;
      readonly recipient?: string;
      readonly message?: SinkMessage;
      readonly then?: () => void;
    } = {},
  ): Promise<string | undefined> {
    const { line = '', recipient, message, then } = options;
    const answer = (await this.#behaviour.answer({ stage, line, session: this.#number, recipient, message })) ?? usual;
    if (answer === 'close') {
      this.#socket.end();
      return undefined;
    }
    if (answer === 'reset') {
      reset(this.#socket);
      return undefined;
    }
    if (answer.startsWith('2')) then?.();
    if (answer !== 'silence') this.#socket.write(Buffer.from(answer.replace(/\n/g, '\r\n') + '\r\n', 'latin1'));
    if (!answer.startsWith('421')) return answer;
    this.#socket.end();
    return undefined;
  }
}

function pathOf(line: string): string {
  return /:\s*<((?:"(?:\\.|[^"\\])*"|[^">])*)>/.exec(line)?.[1] ?? '';
}
