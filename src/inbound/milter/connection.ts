/**
 * One connection of a mail server: several messages, one after the other.
 *
 * Everything is pulled: the filter reads the body, which reads the socket; what nobody asks for waits in the server.
 */
import type { Duplex } from 'node:stream';
import type { MessageRoom } from '../../limits/message-room.ts';
import { CommandSource } from './command-source.ts';
import type { Command } from './commands.ts';
import { FilteredMessage, type FilterOptions } from './filtered-message.ts';
import type { MilterClient } from './interface.ts';
import type { HeaderLimits } from './header-builder.ts';
import { MessageAborted, MilterError } from './milter-error.ts';
import { negotiate, silentStep } from './negotiation.ts';
import { OpenMessage } from './open-message.ts';
import { stepBit } from './protocol.ts';
import { negotiated } from './replies.ts';
import { VerdictWriter } from './verdict-writer.ts';

export interface ConnectionOptions extends FilterOptions, HeaderLimits {
  /** Room for what is known of a message of this client before its body. */
  readonly openRoom: (clientAddress: string) => MessageRoom;
  /** Names, without braces, of the macros that the filter reads. */
  readonly macros: readonly string[];
}

const nobody: MilterClient = { hostname: '', address: '', port: 0, helo: '' };

const maxMacroBytes = 1024;

export class MilterConnection {
  readonly #options: ConnectionOptions;
  readonly #commands: CommandSource;
  readonly #writer: VerdictWriter;
  readonly #closed = new AbortController();
  readonly #macros = new Map<string, string>();
  #client = nobody;
  #message: OpenMessage | undefined;
  /** The filter works on the message, and gives back its room. */
  #filtering = false;
  /** Undefined until the server has opened the conversation. */
  #steps: number | undefined;

  constructor(socket: Duplex, options: ConnectionOptions) {
    this.#options = options;
    this.#commands = new CommandSource(socket, {
      makeRoom: (bytes) => this.#makeRoom(bytes),
      beforeReading: () => this.#writer.flush(this.#closed.signal),
    });
    this.#writer = new VerdictWriter(socket);
    socket.once('close', () => this.#closed.abort(new MessageAborted('the server closed the connection')));
  }

  /** Between MAIL and our last word. */
  get busy(): boolean {
    return this.#message !== undefined;
  }

  /**
   * Serves the connection to its end.
   * @throws MilterError when the server breaks the protocol, or the error of the socket
   */
  async run(): Promise<void> {
    try {
      for (let command = await this.#commands.next(); command; command = await this.#commands.next()) {
        if (command.kind === 'quit') return;
        await this.#obey(command);
      }
    } finally {
      this.#forget();
    }
  }

  async #obey(command: Command): Promise<void> {
    if (this.#steps === undefined && command.kind !== 'negotiate')
      throw new MilterError(`${command.kind} before the negotiation`);
    switch (command.kind) {
      case 'negotiate':
        return this.#negotiate(command);
      case 'macros':
        this.#remember(command.macros);
        return;
      case 'connect':
        this.#client = { ...nobody, hostname: command.hostname, address: command.address, port: command.port };
        this.#continue('connect');
        return;
      case 'helo':
        this.#client = { ...this.#client, helo: command.name };
        this.#continue('helo');
        return;
      case 'mail':
        this.#forgetMessage();
        this.#message = new OpenMessage(command.mail, {
          limits: this.#options,
          room: this.#options.openRoom(this.#client.address),
        });
        this.#continue('mail');
        return;
      case 'rcpt':
        return this.#addRecipients(this.#open(command.kind), command.packets);
      case 'header':
        return this.#addFields(this.#open(command.kind), command.packets);
      case 'droppedHeader':
        this.#open(command.kind);
        this.#continue('header');
        return;
      case 'endOfHeader':
        this.#continue('endOfHeader');
        await this.#writer.flush(this.#closed.signal);
        return this.#filter(this.#open(command.kind));
      case 'data':
      case 'unknown':
        this.#continue(command.kind);
        return;
      case 'quitNewConnection':
        this.#client = nobody;
        this.#forget();
        return;
      case 'abort':
      case 'quit':
        this.#forget();
        return;
      case 'body':
      case 'endOfMessage':
        throw new MilterError(`${command.kind} before the end of the header`);
      default:
        return command satisfies never;
    }
  }

  async #negotiate(offered: Extract<Command, { kind: 'negotiate' }>): Promise<void> {
    const { version, actions, steps } = negotiate(offered);
    this.#steps = steps;
    this.#writer.leadingSpace = this.#space === '';
    await this.#writer.write(negotiated({ version, actions, steps }), this.#closed.signal);
  }

  readonly #remember = (macros: ReadonlyMap<string, string>): void => {
    for (const name of this.#options.macros) {
      const value = macros.get(name);
      if (value !== undefined && value.length <= maxMacroBytes) this.#macros.set(name, value);
    }
  };

  async #addRecipients(message: OpenMessage, packets: Buffer): Promise<void> {
    const growing = message.makeRoomForRecipients(packets);
    if (growing) await growing;
    this.#continue('rcpt', message.addRecipients(packets));
  }

  async #addFields(message: OpenMessage, packets: Buffer): Promise<void> {
    const growing = message.makeRoomFor(packets);
    if (growing) await growing;
    const count = message.addFields(packets, this.#space);
    this.#continue('header', count);
  }

  #open(kind: string): OpenMessage {
    if (!this.#message) throw new MilterError(`${kind} without mail`);
    return this.#message;
  }

  #forget(): void {
    this.#forgetMessage();
    this.#macros.clear();
  }

  #forgetMessage(): void {
    if (!this.#filtering) this.#message?.room.release();
    this.#message = undefined;
  }

  /** For a packet that is large: only the header of a message has such. */
  async #makeRoom(bytes: number): Promise<boolean> {
    const message = this.#message;
    if (!message || this.#filtering) return false;
    await message.makeRoom(bytes);
    return message.excess === undefined;
  }

  /** What the server takes away behind the colon unless told to leave it there. */
  get #space(): '' | ' ' {
    return ((this.#steps ?? 0) & stepBit.headerLeadingSpace) === 0 ? ' ' : '';
  }

  /** Answers so many commands, unless the server wants no answer to them. */
  #continue(event: keyof typeof silentStep, count = 1): void {
    const step = silentStep[event];
    if (step === 0 || ((this.#steps ?? 0) & step) === 0) this.#writer.goOn(count);
  }

  /** From the end of the header to our last word, or to the end of the message by other means. */
  async #filter(message: OpenMessage): Promise<void> {
    const filtered = new FilteredMessage(message, this.#options, {
      client: this.#client,
      macros: this.#macros,
      commands: this.#commands,
      writer: this.#writer,
      closed: this.#closed.signal,
      remember: this.#remember,
      takeBody: (count) => this.#continue('body', count),
    });
    this.#filtering = true;
    try {
      await filtered.run();
    } finally {
      this.#forget();
      this.#filtering = false;
    }
  }
}
