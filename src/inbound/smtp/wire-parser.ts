import { SMTPStream, type SMTPStreamOptions } from 'smtp-server/lib/smtp-stream.js';
import { Failure } from '../../smtp/failures.ts';
import { BodyStream } from './body-stream.ts';
import { DotReader } from './dot-reader.ts';
import { Valve } from '../../runtime/valve.ts';

type Next = (error?: Error | null) => void;

/** Carries out a command line and calls back, or declines: the library does it then. */
export type Shortcut = (line: string, callback: () => void) => boolean;

interface Reception {
  readonly body: BodyStream;
  readonly reader: DotReader;
  readonly onEnd: (resume: () => void) => void;
}

/** So many commands of one chunk are carried out before other connections get their turn. */
const MAX_COMMANDS_PER_TURN = 100;

/**
 * What comes in, as commands and message content. Not as the library reads it: it takes a dot after a bare LF for
 * stuffing, and so would let pass what the next server may read as the end of the message; and it shows one command
 * at a time, where those that a client pipelined (RFC 2920) can be passed on together.
 */
export class WireParser extends SMTPStream {
  readonly #maxMessageSize: number;
  readonly #shortcut: Shortcut;
  /** Command lines not yet carried out, from `#at` on: a byte string. */
  #input = '';
  #at = 0;
  #reception: Reception | undefined;
  #received = 0;
  /** Closed while a message has to wait. */
  readonly #valve = new Valve();

  constructor(options: SMTPStreamOptions & { readonly maxMessageSize: number; readonly shortcut: Shortcut }) {
    super(options);
    this.#shortcut = options.shortcut;
    this.#maxMessageSize = options.maxMessageSize;
    // Again when TLS begins: the socket is another one then.
    this.on('pipe', (source) => this.#valve.attach(source));
  }

  /**
   * From here on the input is message content. `onEnd` is called when its end was read; the commands that follow are
   * parsed once it calls `resume`, so that replies stay in order.
   */
  receive(onEnd: (resume: () => void) => void): BodyStream {
    const body = new BodyStream();
    this.#reception = { body, reader: new DotReader(), onEnd };
    this.#received = 0;
    this._dataMode = true;
    return body;
  }

  /** The connection is gone: whoever reads the body must know that its end never came. */
  abandon(): void {
    const reception = this.#reception;
    this.#reception = undefined;
    this._dataMode = false;
    reception?.body.fail(new Failure('clientGone', { reason: 'client closed the connection within the message' }));
  }

  /** Of the commands that are here already the next ones, for as long as `parse` makes something of them. */
  takeCommands<T>(parse: (line: string) => T | undefined, max: number): T[] {
    const taken: T[] = [];
    while (taken.length < max) {
      const at = this.#at;
      const line = this.#nextLine();
      const command = line === undefined || line.length > this._maxCommandLength ? undefined : parse(line);
      if (command === undefined) {
        this.#at = at;
        break;
      }
      taken.push(command);
    }
    return taken;
  }

  /** A command whose line end never came must not be carried out: it may be cut short. */
  override _flushData(): void {
    this.#input = '';
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding | 'buffer', next: Next): void {
    if (this.isClosed) next();
    else if (this._dataMode) this._feedDataStream(chunk, next);
    else {
      this.#input += chunk.toString('latin1');
      this.#carryOut(next);
    }
  }

  /** Each command is answered before the next one is looked at. Many are before `oncommand` returns: hence the loop. */
  #carryOut(next: Next): void {
    let working = false;
    let answered = true;
    const goOn = (): void => {
      answered = true;
      if (working) return;
      working = true;
      try {
        for (let count = 0; answered; count += 1) {
          if (count === MAX_COMMANDS_PER_TURN) {
            setImmediate(goOn);
            return;
          }
          const line = this.isClosed || this._dataMode ? undefined : this.#nextLine();
          if (line === undefined || line.length > this._maxCommandLength) {
            this.#leave(line, next);
            return;
          }
          answered = false;
          if (!this.#shortcut(line, goOn)) this.oncommand(Buffer.from(line, 'latin1'), goOn);
        }
      } finally {
        working = false;
      }
    };
    goOn();
  }

  /** There is no command to carry out: the input has run dry, goes on as message content, or cannot be one. */
  #leave(line: string | undefined, next: Next): void {
    const rest = this.#input.slice(this.#at);
    this.#input = '';
    this.#at = 0;
    if (this.isClosed) next();
    else if (this._dataMode) this._feedDataStream(Buffer.from(rest, 'latin1'), next);
    else if (line !== undefined || rest.length > this._maxCommandLength) next(this._commandTooLong());
    else {
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
    return line;
  }

  override _feedDataStream(chunk: Buffer, next: Next): void {
    const reception = this.#reception;
    if (!reception) {
      next();
      return;
    }
    const { body, reader, onEnd } = reception;
    const { content, remainder } = reader.feed(chunk);
    for (const part of content) this.#received += part.length;
    if (reader.smuggling) body.fail(new Failure('bareLineFeed'));
    else if (this.#received > this.#maxMessageSize) {
      body.fail(new Failure('messageTooBig', { reason: `message exceeds ${this.#maxMessageSize} bytes` }));
    }
    const goOn = body.push(content);
    if (remainder !== undefined) {
      this.#reception = undefined;
      this._dataMode = false;
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
