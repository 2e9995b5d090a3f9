import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './ports.ts';

export interface PlainFilterOptions {
  /** Where it hands everything on to: a port on 127.0.0.1. */
  readonly target: number;
  readonly port?: number;
}

/**
 * A filter without a guard, like the one that caused the original loop: it passes every byte on and adds no trace
 * field. Like any filter it has its own name, because a Postfix that is greeted with its own name bounces at once.
 * Between two programs it also records what they said.
 */
export class PlainFilter {
  readonly port: number;
  /** Messages that went through, and connections ever made. */
  passes = 0;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #up: Buffer[] = [];

  constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start({ target, port }: PlainFilterOptions): Promise<PlainFilter> {
    const server = createServer();
    const chosen = port ?? (await freePort());
    server.listen(chosen, '127.0.0.1');
    await once(server, 'listening');
    const filter = new PlainFilter(server, chosen);
    server.on('connection', (client) => filter.#join(client, connect(target, '127.0.0.1')));
    return filter;
  }

  /** Everything that clients said, in the order it came. */
  get heard(): string {
    return Buffer.concat(this.#up).toString('latin1');
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, target: Socket): void {
    this.connections += 1;
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('end', () => other.end());
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      this.#up.push(chunk);
      target.write(chunk);
    });
    target.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      this.passes += text.match(/^354 /gm)?.length ?? 0;
      client.write(Buffer.from(text.replace(/^(220 |250-)mail-\w+\.example\.net/gm, '$1plain.example.net'), 'latin1'));
    });
  }
}
