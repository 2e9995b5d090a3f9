import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Verdict } from './interface.ts';
import { bodyChunkBytes } from './protocol.ts';
import { bodyPacket, continuePacket, headerPacket, progressPacket, replyPacket } from './replies.ts';

/**
 * Writes packets to the server no faster than it takes them: one body packet is held at a time, beside what the socket
 * buffers (its highWaterMark).
 */
export class VerdictWriter {
  readonly #socket: Duplex;
  /** False: the server puts a space behind the colon itself. */
  leadingSpace = true;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Resolves when the packet is with the kernel, or there is room for more. @throws when the connection is gone */
  async write(packet: Buffer, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#socket.writable) throw new Error('the connection is closed');
    if (!this.#socket.write(packet)) await once(this.#socket, 'drain', { signal });
  }

  /** We are still at work; left out where the server does not even read what it has. */
  progress(): void {
    if (this.#socket.writable && !this.#socket.writableNeedDrain) this.#socket.write(progressPacket);
  }

  /** The changes, without the last word: until that is said they are undone by a refusal. */
  async changes(verdict: Extract<Verdict, { kind: 'accept' }>, signal: AbortSignal): Promise<void> {
    for (const change of verdict.headerChanges) await this.write(headerPacket(change, this.leadingSpace), signal);
    if (verdict.body === undefined) return;
    let written = false;
    for await (const chunk of inChunks(verdict.body)) {
      await this.write(bodyPacket(chunk), signal);
      written = true;
    }
    if (!written) await this.write(bodyPacket(Buffer.alloc(0)), signal);
  }

  /** The last word on a message. @returns whether all of it went out */
  end(verdict: Verdict): Promise<boolean> {
    const packet = verdict.kind === 'accept' ? continuePacket : replyPacket(verdict.reply);
    if (!this.#socket.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#socket.write(packet, (error) => resolve(!error));
    });
  }
}

/** The same bytes in buffers of `bodyChunkBytes`, the last one shorter; each belongs to the reader. */
async function* inChunks(body: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let chunk = Buffer.allocUnsafe(bodyChunkBytes);
  let filled = 0;
  for await (const bytes of body) {
    for (let at = 0; at < bytes.length;) {
      const count = bytes.copy(chunk, filled, at);
      at += count;
      filled += count;
      if (filled < bodyChunkBytes) continue;
      yield chunk;
      chunk = Buffer.allocUnsafe(bodyChunkBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
