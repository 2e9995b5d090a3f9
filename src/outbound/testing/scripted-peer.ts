import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { WireText } from '../../../test/harness/wire-text.ts';

/**
 * A next hop that follows a script, one connection after the other. A script is lines of
 *
 *     S: text        says the line
 *     s: text        says the line one octet at a time
 *     raw: "text"    says exactly this JSON string
 *     C: text        expects the line
 *     C.             expects a message up to its final dot
 *     take: n        takes n octets, whatever they are
 *     close          closes the connection, and takes what the client still says
 *     reset          the same by RST
 *     gone           expects the client to close it, without another word
 *     drain          the same, whatever the client says before
 *     stall          takes nothing more off the wire
 *
 * After the last line the peer answers RSET and QUIT, and the client may close whenever it likes.
 */
export class ScriptedPeer {
  /** The messages that came in, without the final dot, dots still stuffed; latin1. */
  readonly messages: string[] = [];
  readonly #server: net.Server;
  readonly #scripts: string[];
  readonly #played: Promise<void>[] = [];
  readonly #sockets = new Set<net.Socket>();

  private constructor(scripts: readonly string[]) {
    this.#scripts = [...scripts];
    this.#server = net.createServer((socket) => {
      const script = this.#scripts.shift();
      const played =
        script === undefined ? Promise.reject(new Error('a connection too many')) : this.#play(socket, script);
      played.catch(() => socket.destroy());
      this.#played.push(played);
    });
  }

  /** On a free port of 127.0.0.1. */
  static listen(t: TestContext, ...scripts: string[]): Promise<ScriptedPeer> {
    return ScriptedPeer.listenOn(t, { host: '127.0.0.1', port: 0 }, ...scripts);
  }

  static async listenOn(t: TestContext, where: net.ListenOptions, ...scripts: string[]): Promise<ScriptedPeer> {
    const peer = new ScriptedPeer(scripts);
    peer.#server.listen(where);
    await once(peer.#server, 'listening');
    t.after(() => {
      peer.#server.close();
      for (const socket of peer.#sockets) socket.destroy();
    });
    return peer;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** Rejects when a client left its script; resolves when all scripts were played. */
  async done(): Promise<void> {
    await Promise.all(this.#played);
    assert.deepEqual(this.#scripts, [], 'scripts that nobody came for');
  }

  async #play(socket: net.Socket, script: string): Promise<void> {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    const reader = new Reader(socket);
    for (const step of script.split('\n').map((line) => line.trim())) {
      if (step !== '') await this.#step(socket, reader, step);
    }
    if (socket.writableEnded) await reader.drain();
    for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
      if (line === 'RSET') socket.write('250 2.0.0 Ok\r\n');
      else if (line === 'QUIT') socket.end('221 2.0.0 Bye\r\n');
      else assert.fail(`${line} after the end of the script`);
    }
  }

  async #step(socket: net.Socket, reader: Reader, step: string): Promise<void> {
    const [, verb = '', text = ''] = /^(\S+) ?(.*)$/.exec(step) ?? [];
    switch (verb) {
      case 'S:':
        socket.write(`${text}\r\n`, 'latin1');
        break;
      case 's:':
        for (const octet of Buffer.from(`${text}\r\n`, 'latin1')) {
          socket.write(Buffer.of(octet));
          await nextTurn();
        }
        break;
      case 'raw:':
        socket.write(JSON.parse(text) as string, 'latin1');
        break;
      case 'C:':
        assert.equal(await reader.line(), text);
        break;
      case 'C.':
        this.messages.push(await reader.message());
        break;
      case 'take:':
        await reader.take(Number(text));
        break;
      case 'close':
        socket.end();
        break;
      case 'reset':
        socket.resetAndDestroy();
        break;
      case 'gone':
        assert.equal(await reader.line(), undefined);
        break;
      case 'drain':
        await reader.drain();
        break;
      case 'stall':
        await once(socket, 'close');
        break;
      default:
        assert.fail(`no such step: ${step}`);
    }
  }
}

/** What a client says, as lines, octets or messages. Reads only when it is asked to. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #wire = new WireText();

  constructor(socket: net.Socket) {
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** undefined at the end; half a line there is what is left of a message that was given up. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const line = this.#wire.takeLine();
      if (line !== undefined) {
        assert.ok(line.endsWith('\r\n'), 'a line that ends in a bare LF');
        return line.slice(0, -2);
      }
      if (!(await this.#more())) return undefined;
    }
  }

  /** Without its final dot. */
  async message(): Promise<string> {
    let message = '';
    for (;;) {
      const { bytes, ended } = this.#wire.takeMessage();
      message += bytes.toString('latin1');
      if (ended) return message;
      assert.ok(await this.#more(), 'the client closed before the final dot');
    }
  }

  async take(octets: number): Promise<void> {
    while (this.#wire.take(octets) === undefined) assert.ok(await this.#more(), 'the client closed too early');
  }

  async drain(): Promise<void> {
    do this.#wire.takeAll();
    while (await this.#more());
  }

  async #more(): Promise<boolean> {
    try {
      const { done, value } = (await this.#chunks.next()) as { done?: boolean; value: Buffer };
      if (done === true) return false;
      this.#wire.push(value);
      return true;
    } catch {
      // Reset by the client: it is gone all the same.
      return false;
    }
  }
}
