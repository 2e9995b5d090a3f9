import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './ports.ts';
import { reset } from './reset.ts';

export interface TcpProxyOptions {
  /** A port on 127.0.0.1. */
  readonly target: number;
  readonly port?: number;
}

type Direction = 'up' | 'down';

/**
 * A bad network between two programs. All settings may be changed at any time and apply to open connections too. `up`
 * is from the client to the target.
 */
export class TcpProxy {
  readonly port: number;
  target: number;
  /** Milliseconds before each chunk is passed on. */
  delayMs = 0;
  /** Bytes a second in each direction of each connection; undefined: no limit. */
  bytesPerSecond: number | undefined;
  /** A connection that has carried this many bytes up is reset, the last one included. */
  breakAfterBytes: number | undefined;
  /** The same for bytes carried down. */
  breakAfterBytesDown: number | undefined;
  /** Connections ever made, and bytes passed on. */
  connections = 0;
  readonly bytes: Record<Direction, number> = { up: 0, down: 0 };
  readonly #sockets = new Set<Socket>();
  #frozen: Promise<void> | undefined;
  #thaw: () => void = () => undefined;
  #server: Server | undefined;

  constructor({ target }: TcpProxyOptions, port: number) {
    this.target = target;
    this.port = port;
  }

  get openConnections(): number {
    return this.#sockets.size / 2;
  }

  /** Nothing passes any more, in neither direction, until `thaw`: connections stay open. */
  freeze(): void {
    this.#frozen ??= new Promise((resolve) => (this.#thaw = resolve));
  }

  thaw(): void {
    this.#frozen = undefined;
    this.#thaw();
  }

  /** Resets every open connection. */
  breakAll(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  async up(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  /** Refuses connections and resets the open ones. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    this.thaw();
    this.breakAll();
    await closed;
  }

  stop(): Promise<void> {
    return this.down();
  }

  #join(client: Socket): void {
    this.connections++;
    const target = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('error', () => reset(other));
      socket.once('close', () => this.#sockets.delete(socket));
    }
    const breakAfter = (limit: () => number | undefined): ((size: number) => void) => {
      let carried = 0;
      return (size) => {
        carried += size;
        if (carried < (limit() ?? Infinity)) return;
        reset(client);
        reset(target);
      };
    };
    client
      .pipe(
        this.#wire(
          'up',
          breakAfter(() => this.breakAfterBytes),
        ),
      )
      .pipe(target);
    target
      .pipe(
        this.#wire(
          'down',
          breakAfter(() => this.breakAfterBytesDown),
        ),
      )
      .pipe(client);
  }

  #wire(direction: Direction, passed: (size: number) => void): Transform {
    const carry = async (chunk: Buffer): Promise<Buffer> => {
      if (this.delayMs > 0) await pause(this.delayMs);
      if (this.bytesPerSecond !== undefined) await pause((chunk.length / this.bytesPerSecond) * 1000);
      while (this.#frozen) await this.#frozen;
      this.bytes[direction] += chunk.length;
      passed(chunk.length);
      return chunk;
    };
    return new Transform({
      transform(chunk: Buffer, _encoding, done: TransformCallback) {
        carry(chunk).then(
          (bytes) => done(null, bytes),
          (error: unknown) => done(error as Error),
        );
      },
    });
  }
}

export async function startProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const proxy = new TcpProxy(options, options.port ?? (await freePort()));
  await proxy.up();
  return proxy;
}
