/**
 * All that is used of smtp-server. It listens, keeps sockets, their time-outs and their end, and starts TLS. What is
 * said in between is read and answered by ourselves: the library changes what it should pass on.
 *
 * Some of that can only be had from members that are private to the library, so its version is pinned, and
 * `library.test.ts` checks each of them. No other file touches them.
 */
import type { Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import { tlsTrouble } from './tls-trouble.ts';
import { WireParser } from './wire-parser.ts';

/**
 * From our reply to STARTTLS to the end of the handshake. Postfix waits 300 s (`smtpd_starttls_timeout`), and 10 s under
 * stress: a client that sends nothing would keep its place for all that time.
 */
const handshakeTimeoutMs = 30_000;

/** The private members of the library that are used below, by their owner. */
export const privateMembers = {
  server: ['_acceptSocket'],
  connection: ['_createParser', '_setListeners', '_onTimeout', '_armTimeout', '_onClose'],
  connectionFields: ['_socket', '_parser', '_closing', '_upgrading'],
} as const;

/** A server whose connections are made by its subclass. */
export abstract class LibraryServer extends SMTPServer {
  constructor(options: SMTPServerOptions) {
    super({ ...options, disableReverseLookup: true, authOptional: true });
  }

  protected abstract accept(socket: Socket): void;

  /** Asked for a guard of the new socket: with `false` for an answer the library leaves the socket alone. */
  override _acceptSocket(socket: Socket): false {
    this.accept(socket);
    return false;
  }
}

/** What a connection tells its owner. */
export interface WireEvents {
  /** A command without its line end, a byte string. `done` asks for the next one. */
  command(line: string, done: () => void): void;
  /** A command line is longer than any may be. Nothing more is read. */
  overlong(): void;
  /** The client was silent for as long as it may. @returns whether it is waiting for us, and may go on waiting */
  idle(): 'waiting' | 'given up';
  /** Once for each connection that breaks, with why. */
  failed(reason: string): void;
  /** Called once, when the socket is closed. */
  closed(): void;
}

export interface WireOptions {
  readonly remoteAddress: string;
  readonly maxMessageBytes: number;
  readonly events: WireEvents;
  readonly handshakeMs?: number | undefined;
}

/** One connection: its socket in clear or TLS, and the parser that reads it. */
export class Wire extends SMTPConnection {
  readonly #events: WireEvents;
  readonly #maxMessageBytes: number;
  readonly #handshakeMs: number;
  #handshake: NodeJS.Timeout | undefined;
  #failed = false;
  #gone = false;

  constructor(server: LibraryServer, socket: Socket, options: WireOptions) {
    const { remoteAddress, maxMessageBytes, events, handshakeMs = handshakeTimeoutMs } = options;
    // With an id of its own for each the library would draw random numbers, at the price of all else that is done here.
    super(server, socket, { id: 'unnamed', remoteAddress });
    this.#events = events;
    this.#maxMessageBytes = maxMessageBytes;
    this.#handshakeMs = handshakeMs;
    this.on('error', (error: Error) => this.#fail(error));
  }

  /** Reads from here on. */
  begin(): void {
    this._setListeners(() => undefined);
  }

  /** Gone once the connection is closing: nobody reads any more. */
  get parser(): WireParser | undefined {
    return this._parser instanceof WireParser ? this._parser : undefined;
  }

  /** Starts TLS. `done` asks for no more commands: what was sent in clear is dropped. */
  override upgrade(done: () => void): void {
    super.upgrade(done);
    this.#handshake = setTimeout(() => {
      if (!this._upgrading) return;
      this.#fail(new Error(`not finished within ${this.#handshakeMs / 1000} s`));
      this.destroy();
    }, this.#handshakeMs).unref();
  }

  /** Not while a TLS handshake runs: what is written then would be in clear, in the middle of it. */
  write(text: string): void {
    if (!this._upgrading && !this._socket.destroyed && this._socket.writable) this._socket.write(text, 'latin1');
  }

  /** Calls back when the client has read enough of its replies. */
  whenWritable(next: () => void): void {
    if (this._socket.writableNeedDrain && !this._socket.destroyed) this._socket.once('drain', next);
    else next();
  }

  /** Closes the connection as soon as what was written is sent, whether the client has closed its side or not. */
  hangUp(): void {
    this.close();
    this._socket.destroySoon();
  }

  destroy(): void {
    this._socket.destroy();
  }

  /** Called by the library's constructor, before anything of ours exists; again when TLS begins. */
  override _createParser(): SMTPStream {
    const parser = new WireParser({
      maxMessageBytes: () => this.#maxMessageBytes,
      command: (line, done) => this.#events.command(line, done),
      overlong: () => this.#events.overlong(),
    });
    // Of its parser the library uses no more than a stream to write to, and `isClosed`.
    return parser as unknown as SMTPStream;
  }

  override _onTimeout(): void {
    if (this._closing) super._onTimeout();
    else if (this.#events.idle() === 'waiting') this._armTimeout();
    else this.close();
  }

  override _onClose(): void {
    const { parser } = this;
    super._onClose();
    if (this.#gone) return;
    this.#gone = true;
    clearTimeout(this.#handshake);
    parser?.abandon('client closed the connection within the message');
    this.#events.closed();
  }

  /** The library tells of one failed handshake several times: by the socket in TLS, and by the one below it. */
  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    const trouble = tlsTrouble(error);
    if (this._upgrading) this.#events.failed(`TLS handshake failed: ${trouble ?? error.message}`);
    else this.#events.failed(trouble === undefined ? error.message : `TLS failed: ${trouble}`);
  }
}
