import { Writable } from 'node:stream';
import { Failure } from '../../smtp/failures.ts';
import { Valve } from '../../runtime/valve.ts';
import { BodyStream } from './body-stream.ts';
import { DotReader } from './dot-reader.ts';

type Next = (error?: Error | null) => void;

export interface WireParserOptions {
  readonly maxMessageBytes: () => number;
  /** A command line without its end, a byte string. `done` asks for the next one. */
  readonly command: (line: string, done: () => void) => void;
  /** A line is longer than any command may be. */
  readonly overlong: () => void;
}

interface Input {
  readonly chunk: Buffer;
  readonly next: Next;
}

interface Reception {
  readonly body: BodyStream;
  readonly reader: DotReader;
  readonly onEnd: (resume: () => void) => void;
  octets: number;
}

/** How many commands are carried out before other connections get their turn. */
const maxCommandsPerTurn = 100;

/** A command of 16 KiB has room for the longest path and its parameters. */
const maxCommandOctets = 16 * 1024;

/**
 * A line cut out of longer input keeps all of it in memory for as long as anybody keeps a part of the line: a thousand
 * recipients, each in a chunk of 64 KiB, would keep all chunks. From here on a line is copied.
 */
const maxKeptInput = 1024;

/**
 * What comes in, as commands and message content.
 *
 * Holds one chunk of the socket: commands not yet carried out, or content that the reader of the message has not asked
 * for. Until then no more is read.
 */
export class WireParser extends Writable {
  /** Set when the connection closes: what is left of the input is dropped. The library does so as well. */
  isClosed = false;
  readonly #options: WireParserOptions;
  /** Command lines not yet carried out, from `#at` on: a byte string. */
  #input = '';
  #at = 0;
  #reception: Reception | undefined;
  #carriedOut = 0;
  /** Closed while a message has to wait. */
  readonly #valve = new Valve();

  constructor(options: WireParserOptions) {
    super();
    this.#options = options;
    this.on('pipe', (source) => this.#valve.attach(source));
  }

  get inMessage(): boolean {
    return this.#reception !== undefined;
  }

  /**
   * From here on the input is message content. `onEnd` is called when its end was read; the commands that follow are
   * parsed once it calls `resume`, so that replies stay in order.
   */
  receive(onEnd: (resume: () => void) => void): BodyStream {
    const body = new BodyStream();
    this.#reception = { body, reader: new DotReader(), onEnd, octets: 0 };
    return body;
  }

  /** If a message is being received, its end will never come: its reader must be told. */
  abandon(reason: string): void {
    const reception = this.#reception;
    this.#reception = undefined;
    reception?.body.fail(new Failure('clientGone', { reason }));
  }

  /** Of the commands that are here already the next ones, for as long as `parse` makes something of them. */
  takeCommands<T>(parse: (line: string) => T | undefined, max: number): T[] {
    const taken: T[] = [];
    while (taken.length < max) {
      const at = this.#at;
      const line = this.#nextLine();
      const command = line === undefined || line.length > maxCommandOctets ? undefined : parse(line);
      if (command === undefined) {
        this.#at = at;
        break;
      }
      taken.push(command);
    }
    this.#carriedOut += taken.length;
    return taken;
  }

  /** A command whose line end never came is not carried out when the input ends: it may be cut short. */
  override _write(chunk: Buffer, _encoding: BufferEncoding | 'buffer', next: Next): void {
    if (this.isClosed) next();
    else if (this.#reception) this.#content(this.#reception, { chunk, next });
    else {
      this.#input += chunk.toString('latin1');
      this.#carryOut(next);
    }
  }

  /** Each command is answered before the next one is looked at. Many are before `command` returns: hence the loop. */
  #carryOut(next: Next): void {
    let working = false;
    let answered = true;
    const goOn = (): void => {
      answered = true;
      if (working) return;
      working = true;
      try {
        while (answered) {
          if (this.#carriedOut >= maxCommandsPerTurn) {
            this.#carriedOut = 0;
            setImmediate(goOn);
            return;
          }
          this.#carriedOut += 1;
          const line = this.isClosed || this.#reception ? undefined : this.#nextLine();
          if (line === undefined || line.length > maxCommandOctets) {
            this.#leave(line, next);
            return;
          }
          answered = false;
          this.#options.command(line, goOn);
        }
      } finally {
        working = false;
      }
    };
    goOn();
  }

  /**
   * There is no command to carry out: there is no more input, or message content follows, or the input is no command.
   */
  #leave(line: string | undefined, next: Next): void {
    const rest = this.#input.slice(this.#at);
    this.#input = '';
    this.#at = 0;
    if (this.isClosed) next();
    else if (this.#reception) this.#content(this.#reception, { chunk: Buffer.from(rest, 'latin1'), next });
    else if (line !== undefined || rest.length > maxCommandOctets) {
      this.isClosed = true;
      this.#options.overlong();
      next();
    } else {
      this.#input = rest;
      next();
    }
  }

  /** Up to the next line end, which need not be more than LF. */
  #nextLine(): string | undefined {
    const lf = this.#input.indexOf('\n', this.#at);
    if (lf < 0) return undefined;
    const end = lf > this.#at && this.#input.charCodeAt(lf - 1) === 0x0d ? lf - 1 : lf;
    const line = this.#input.slice(this.#at, end);
    this.#at = lf + 1;
    return this.#input.length > maxKeptInput ? Buffer.from(line, 'latin1').toString('latin1') : line;
  }

  #content(reception: Reception, { chunk, next }: Input): void {
    const { body, reader, onEnd } = reception;
    const { content, remainder } = reader.feed(chunk);
    const limit = this.#options.maxMessageBytes();
    reception.octets += content.length;
    if (reader.smuggling) body.fail(new Failure('bareLineFeed'));
    else if (reception.octets > limit)
      body.fail(new Failure('messageTooBig', { reason: `message exceeds ${limit} bytes` }));
    const goOn = body.push(content);
    if (remainder !== undefined) {
      this.#reception = undefined;
      body.end();
      onEnd(() => {
        if (remainder.length > 0) this._write(remainder, 'buffer', next);
        else next();
      });
    } else if (goOn) next();
    else {
      this.#valve.close();
      body.whenDrained(() => {
        this.#valve.open();
        next();
      });
    }
  }
}
