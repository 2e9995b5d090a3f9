import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { patience, waitFor } from './wait.ts';
import { reset } from './reset.ts';
import { WireText, type SmtpReply } from './wire-text.ts';

/**
 * An SMTP or LMTP client that sends exactly the given bytes, for tests of what well-behaved clients never do. Text is
 * written as bytes (latin1): write UTF-8 as a Buffer.
 */
export class SmtpDialog {
  readonly #socket: Socket;
  readonly #news = new EventEmitter();
  readonly #wire = new WireText();
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#wire.push(chunk);
      this.#news.emit('news');
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#news.emit('news');
    });
    socket.on('error', () => undefined);
  }

  /** Connects and reads the greeting. @param from an address of this machine */
  static async open(port: number, { host = '127.0.0.1', from = '' } = {}): Promise<SmtpDialog> {
    const dialog = await SmtpDialog.connect(port, { host, from });
    await dialog.read();
    return dialog;
  }

  /** Connects, and does not wait for the greeting. */
  static async connect(port: number, { host = '127.0.0.1', from = '' } = {}): Promise<SmtpDialog> {
    const socket = connect({ port, host, ...(from === '' ? {} : { localAddress: from }) });
    await once(socket, 'connect');
    return new SmtpDialog(socket);
  }

  /** A command without its line end; waits for the reply. */
  async say(line: string | Buffer): Promise<SmtpReply> {
    await this.write(line);
    await this.write('\r\n');
    return this.read();
  }

  /** As `say`. @throws Error with the whole reply when its code is another one */
  async expect(code: number, line: string | Buffer): Promise<SmtpReply> {
    const reply = await this.say(line);
    if (reply.code !== code) throw new Error(`${String(line)}: expected ${code}, got ${reply.text}`);
    return reply;
  }

  /** Sends bytes unchanged; waits while the peer does not read. Rejects when the connection is gone. */
  async write(bytes: string | Buffer): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await new Promise<void>((resolve, reject) => {
      const gone = (): void => reject(new Error('the peer closed the connection'));
      if (this.#closed) {
        gone();
        return;
      }
      this.#socket.once('close', gone);
      this.#socket.write(data, (error) => {
        this.#socket.off('close', gone);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** The next reply. Rejects when the connection closes before it is complete. */
  async read({ bound = patience }: { readonly bound?: number } = {}): Promise<SmtpReply> {
    const signal = AbortSignal.timeout(bound);
    for (;;) {
      const reply = this.#wire.takeReply();
      if (reply) return reply;
      if (this.#closed) throw new Error(`closed before a reply; received: ${JSON.stringify(this.#rest())}`);
      await once(this.#news, 'news', { signal });
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Waits until the peer has closed; returns what the peer sent and was not read yet. */
  async waitForClose(): Promise<string> {
    await waitFor(() => this.#closed, { what: 'the peer to close' });
    return this.#rest();
  }

  /** QUIT, politely. */
  async quit(): Promise<void> {
    if (!this.#closed) await this.say('QUIT').catch(() => undefined);
    this.#socket.destroy();
  }

  /** Drops the connection at once. */
  abort(): void {
    reset(this.#socket);
  }

  /** For `Scenario.use`. */
  stop(): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }

  #rest(): string {
    return this.#wire.takeAll().toString('latin1');
  }
}
