/** The mail server's side of the Milter protocol, for tests: commands as bytes, and the filter's packets read back. */
import { connect, type Socket } from 'node:net';
import { PacketParser, type Packet } from '../packets.ts';
import { commandByte } from '../protocol.ts';

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

function command(letter: string, ...data: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(
    [letter, ...data].map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
  return Buffer.concat([u32(body.length), body]);
}

const words = (...all: readonly string[]): string => all.map((word) => `${word}\0`).join('');

/** All actions and steps of protocol 6, as Postfix offers them. */
export const everything = { version: 6, actions: 0x1ff, steps: 0x1fffff } as const;

/** What Postfix would write. */
export const say = {
  negotiate: ({
    version,
    actions,
    steps,
  }: { readonly version: number; readonly actions: number; readonly steps: number } = everything): Buffer =>
    command(commandByte.negotiate, u32(version), u32(actions), u32(steps)),
  macros: (letter: string, macros: Readonly<Record<string, string>>): Buffer =>
    command(commandByte.macros, letter, words(...Object.entries(macros).flat())),
  connect: (hostname: string, address: string, port: number): Buffer =>
    command(commandByte.connect, words(hostname), '4', Buffer.from([port >> 8, port & 255]), words(address)),
  helo: (name: string): Buffer => command(commandByte.helo, words(name)),
  mail: (...args: readonly string[]): Buffer => command(commandByte.mail, words(...args)),
  rcpt: (...args: readonly string[]): Buffer => command(commandByte.rcpt, words(...args)),
  header: (name: string, value: string): Buffer => command(commandByte.header, words(name, value)),
  endOfHeader: (): Buffer => command(commandByte.endOfHeader),
  body: (text: Buffer | string): Buffer => command(commandByte.body, text),
  endOfMessage: (text: Buffer | string = ''): Buffer => command(commandByte.endOfMessage, text),
  abort: (): Buffer => command(commandByte.abort),
  quit: (): Buffer => command(commandByte.quit),
  quitNewConnection: (): Buffer => command(commandByte.quitNewConnection),
  raw: command,
} as const;

/** A packet as a test states it: the letter, and its data with numbers in the first four bytes of `i` and `m`. */
export function describe({ letter, data }: Packet): string {
  if (letter === 'i' || letter === 'm')
    return `${letter} ${data.readUInt32BE()} ${JSON.stringify(data.toString('latin1', 4))}`;
  if (letter === 'O') return `O ${data.readUInt32BE(0)} ${data.readUInt32BE(4)} ${data.readUInt32BE(8).toString(16)}`;
  return data.length === 0 ? letter : `${letter} ${JSON.stringify(data.toString('latin1'))}`;
}

/** A connection to a filter. */
export class MailServer {
  readonly socket: Socket;
  readonly #parser = new PacketParser();
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(port: number | string) {
    this.socket = typeof port === 'string' ? connect(port) : connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.#chunks = this.socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** `cut`: bytes of each write; undefined: all at once. */
  async write(bytes: Buffer, cut?: number): Promise<void> {
    for (let at = 0; at < bytes.length; at += cut ?? bytes.length) {
      const piece = bytes.subarray(at, at + (cut ?? bytes.length));
      await new Promise<void>((resolve) => this.socket.write(piece, () => resolve()));
    }
  }

  /** The next packet of the filter; undefined when it has closed the connection. */
  async packet(): Promise<Packet | undefined> {
    for (;;) {
      const packet = this.#parser.next();
      if (packet) return packet;
      const chunk = await this.#chunks.next().catch(() => ({ done: true, value: undefined }) as const);
      if (chunk.done === true) return undefined;
      this.#parser.push(chunk.value);
    }
  }

  /** Packets up to and including the last word on a message. */
  async verdict(): Promise<string[]> {
    const said: string[] = [];
    for (let packet = await this.packet(); packet; packet = await this.packet()) {
      said.push(describe(packet));
      if (packet.letter === 'c' || packet.letter === 'y') break;
    }
    return said;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** What opens a conversation. */
export const hello = Buffer.concat([
  say.negotiate(),
  say.connect('mx.example', '192.0.2.7', 4711),
  say.helo('client.example'),
]);
