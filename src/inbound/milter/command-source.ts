import type { Duplex } from 'node:stream';
import { parseCommand, type Command } from './commands.ts';
import { PacketParser } from './packets.ts';

/**
 * The commands of one connection, one after the other.
 *
 * Reads the socket no faster than commands are asked for: what the filter does not read waits in the server. Holds one
 * chunk of the socket and one packet that is not complete.
 */
export class CommandSource {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #parser = new PacketParser();
  #peeked: Promise<Command | undefined> | undefined;

  constructor(socket: Duplex) {
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /**
   * The next command; undefined when the connection has ended.
   * @throws MilterError for a command that breaks the protocol, and the error of the socket
   */
  next(): Promise<Command | undefined> {
    const peeked = this.#peeked;
    this.#peeked = undefined;
    return peeked ?? this.#read();
  }

  /** Reads ahead by one command, which the next `next` returns: to learn of the end while nothing is read. */
  peek(): Promise<Command | undefined> {
    this.#peeked ??= this.#read();
    // Heard by `next`.
    this.#peeked.catch(() => undefined);
    return this.#peeked;
  }

  async #read(): Promise<Command | undefined> {
    for (;;) {
      const packet = this.#parser.next();
      if (packet) return parseCommand(packet);
      const chunk = await this.#chunks.next();
      if (chunk.done === true) return undefined;
      this.#parser.push(chunk.value);
    }
  }
}
