import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from './ports.ts';
import { type SinkAnswer, type SinkBehaviour, type SinkEvent, type SinkMessage, SinkSession } from './sink-session.ts';
import { waitFor } from './wait.ts';

export type { SinkAnswer, SinkEvent, SinkMessage } from './sink-session.ts';

export interface SinkOptions {
  readonly protocol?: 'smtp' | 'lmtp';
  readonly port?: number;
  readonly host?: string;
  /** EHLO lines after the first. */
  readonly extensions?: readonly string[];
  /** False: messages are counted and measured, their bytes dropped. */
  readonly keepData?: boolean;
  /**
   * Decides on replies; undefined gives the reply of a good server. It may wait, to be slow, and may be replaced later.
   */
  readonly answer?: (event: SinkEvent) => SinkAnswer | Promise<SinkAnswer>;
}

const defaultExtensions = [
  'PIPELINING',
  'SIZE 1099511627776',
  'ENHANCEDSTATUSCODES',
  '8BITMIME',
  'SMTPUTF8',
  'DSN',
  'XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE',
];

/** An SMTP or LMTP server that keeps what it gets byte for byte, and misbehaves on demand. */
export class Sink implements SinkBehaviour {
  readonly protocol: 'smtp' | 'lmtp';
  readonly extensions: readonly string[];
  readonly keepData: boolean;
  readonly port: number;
  /** Every message that it accepted; with LMTP one entry per recipient. */
  readonly messages: SinkMessage[] = [];
  /** Every command line of every session, in the order they came. */
  readonly lines: string[] = [];
  /** May be changed at any time. */
  answer: (event: SinkEvent) => SinkAnswer | Promise<SinkAnswer>;
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #sessions = 0;

  constructor(options: SinkOptions, port: number) {
    this.protocol = options.protocol ?? 'smtp';
    this.extensions = options.extensions ?? defaultExtensions;
    this.keepData = options.keepData ?? true;
    this.answer = options.answer ?? (() => undefined);
    this.#host = options.host ?? '127.0.0.1';
    this.port = port;
  }

  /** Sessions ever opened, and open now. */
  get sessions(): number {
    return this.#sessions;
  }

  get openSessions(): number {
    return this.#sockets.size;
  }

  heard(line: string): void {
    this.lines.push(line);
  }

  accepted(message: SinkMessage): void {
    this.messages.push(message);
  }

  async waitForMessages(count: number): Promise<readonly SinkMessage[]> {
    await waitFor(() => this.messages.length >= count, {
      what: `${count} message(s) at the sink`,
      detail: () => `there are ${this.messages.length}; heard:\n${this.lines.slice(-20).join('\n')}`,
    });
    return this.messages;
  }

  /** Listens, again after `down`. */
  async up(): Promise<void> {
    const server = createServer((socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
      // A client that breaks the connection ends the loop over its chunks with an error; the sink ignores it.
      new SinkSession(socket, ++this.#sessions, this).run().catch(() => socket.destroy());
    });
    server.listen(this.port, this.#host);
    await once(server, 'listening');
    this.#server = server;
  }

  /** Refuses connections from now on, and drops the open ones. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    this.dropSessions();
    await closed;
  }

  /** Closes the open sessions; new ones are accepted. */
  dropSessions(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop(): Promise<void> {
    return this.down();
  }
}

export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const sink = new Sink(options, options.port ?? (await freePort()));
  await sink.up();
  return sink;
}
