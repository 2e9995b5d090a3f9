import type { Duplex } from 'node:stream';
import { countGarbage } from '../../runtime/minor-collection.ts';
import { takeTurns } from '../../runtime/take-turns.ts';
import { CommandAllowance } from './command-allowance.ts';
import { parseCommand, type Command } from './commands.ts';
import { PacketParser, type Packet } from './packets.ts';
import { commandByte, largePacketBytes } from './protocol.ts';

/** Bytes of garbage that a command leaves, beside those of its packet. */
const garbagePerCommand = 300;

/** After so many bytes of garbage and packets, some 50 commands, other connections may have their turn. */
const turnBytes = 16 * 1024;

/** Whether there is memory for a packet of so many bytes. */
export type MakeRoom = (bytes: number) => boolean | Promise<boolean>;

export interface CommandSourceOptions {
  readonly makeRoom: MakeRoom;
  /** Called before the socket is read: the server may wait for an answer before it says more. */
  readonly beforeReading: () => void | Promise<void>;
}

/**
 * The commands of one connection, one after the other.
 *
 * Reads the socket no faster than commands are asked for: what the filter does not read waits in the server. Holds one
 * chunk of the socket and one packet that is not complete. A large one for which there is no room is not kept.
 */
export class CommandSource {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #parser = new PacketParser();
  readonly #allowance = new CommandAllowance();
  readonly #options: CommandSourceOptions;
  /** Of the commands of one chunk. */
  #garbage = 0;
  /** Bytes since the last turn. */
  #done = 0;
  #peeked: Promise<Command | undefined> | undefined;

  constructor(socket: Duplex, options: CommandSourceOptions) {
    this.#options = options;
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /**
   * The next command; undefined when the connection has ended.
   * @throws MilterError for a command that breaks the protocol or is one too many, and the error of the socket
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
      if (packet) {
        const turn = this.#count(packet);
        if (turn) await turn;
        const command = parseCommand(packet);
        this.#allowance.take(command);
        return command;
      }
      countGarbage(this.#garbage);
      this.#garbage = 0;
      const { expected } = this.#parser;
      if (expected > largePacketBytes && !(await this.#options.makeRoom(expected))) this.#parser.skip();
      const answering = this.#options.beforeReading();
      if (answering) await answering;
      const chunk = await this.#chunks.next();
      if (chunk.done === true) return undefined;
      this.#parser.push(chunk.value);
    }
  }

  /** A chunk of 64 KiB may hold 13,000 commands. */
  #count({ letter, data }: Packet): Promise<void> | undefined {
    // Fields are copied and recipients are kept, so their bytes are no garbage. Counting them would start collections
    // while the chunks that hold them are in use, and V8 would promote these chunks: 20 MB more for 40 connections.
    this.#garbage +=
      garbagePerCommand + (letter === commandByte.header || letter === commandByte.rcpt ? 0 : data.length);
    this.#done += garbagePerCommand + data.length;
    if (this.#done < turnBytes) return undefined;
    this.#done = 0;
    return takeTurns();
  }
}
