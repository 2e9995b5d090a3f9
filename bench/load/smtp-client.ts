/** Our own sender: prebuilt bytes over one connection, with envelope and DATA pipelined as Postfix does it. */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { WireText, type SmtpReply } from '../../test/harness/wire-text.ts';
import type { Message } from './message.ts';

export class SmtpClient {
  readonly #socket: Socket;
  readonly #wire = new WireText();
  #wake: (() => void) | undefined;
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#wire.push(chunk);
      this.#wake?.();
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<SmtpClient> {
    const client = new SmtpClient(connect(port, '127.0.0.1'));
    await client.#expect(220);
    client.#socket.write('EHLO bench.example.net\r\n');
    await client.#expect(250);
    return client;
  }

  /** @throws Error for any refusal */
  async send(message: Message, { recipients = 1 }: { readonly recipients?: number } = {}): Promise<void> {
    let envelope = 'MAIL FROM:<sender@example.net>\r\n';
    for (let i = 0; i < recipients; i++) envelope += `RCPT TO:<reader${i}@example.com>\r\n`;
    this.#socket.write(`${envelope}DATA\r\n`);
    for (let i = 0; i <= recipients; i++) await this.#expect(250);
    await this.#expect(354);
    for (const chunk of message.chunks()) {
      if (!this.#socket.write(chunk)) await once(this.#socket, 'drain');
    }
    this.#socket.write('.\r\n');
    await this.#expect(250);
  }

  async quit(): Promise<void> {
    this.#socket.write('QUIT\r\n');
    await this.#expect(221);
    this.#socket.destroy();
  }

  async #expect(code: number): Promise<void> {
    const reply = await this.#reply();
    if (reply.code !== code) throw new Error(`expected ${code}, got: ${reply.text}`);
  }

  async #reply(): Promise<SmtpReply> {
    for (;;) {
      const reply = this.#wire.takeReply();
      if (reply) return reply;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }
}

/** Sends `count` messages over `parallel` connections. */
export async function sendAll(
  port: number,
  load: {
    readonly make: () => Message;
    readonly count: number;
    readonly parallel: number;
    readonly recipients?: number;
  },
): Promise<void> {
  const { make, count, parallel, recipients = 1 } = load;
  let left = count;
  const worker = async (): Promise<void> => {
    const client = await SmtpClient.open(port);
    while (left-- > 0) await client.send(make(), { recipients });
    await client.quit();
  };
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, worker));
}
