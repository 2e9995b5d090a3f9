import { SMTPStream, type SMTPStreamOptions } from 'smtp-server/lib/smtp-stream.js';
import { Failure } from '../smtp/failures.ts';
import { BodyStream } from './body-stream.ts';
import { DotReader } from './dot-reader.ts';

type Next = (error?: Error | null) => void;

interface Reception {
  readonly body: BodyStream;
  readonly reader: DotReader;
  readonly onEnd: (resume: () => void) => void;
}

/**
 * Commands are parsed by the library, message content by us: the library takes a dot after a bare LF for stuffing,
 * and so would let pass what the next server may read as the end of the message.
 */
export class WireParser extends SMTPStream {
  readonly #maxMessageSize: number;
  #reception: Reception | undefined;
  #received = 0;

  constructor(options: SMTPStreamOptions & { readonly maxMessageSize: number }) {
    super(options);
    this.#maxMessageSize = options.maxMessageSize;
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

  /** A command whose line end never came must not be carried out: it may be cut short. */
  override _flushData(): void {
    this._remainder = '';
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
      this._remainder = '';
      body.end();
      onEnd(() => {
        if (remainder.length > 0) this._write(remainder, 'buffer', next);
        else next();
      });
    } else if (goOn) next();
    else body.whenDrained(next);
  }
}
