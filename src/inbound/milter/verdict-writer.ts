import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { countGarbage } from '../../runtime/minor-collection.ts';
import type { Verdict } from './interface.ts';
import { bodyChunkBytes } from './protocol.ts';
import { bodyPacket, continuePacket, headerPacket, progressPacket, replyPacket } from './replies.ts';

/** Bytes of changes that wait for the last word: the changes of a message that was little but files. */
const heldBytes = 64 * 1024;

const noBytes = Buffer.alloc(0);

/** Of one chunk of a body: itself, its packet, and what is written together. In bytes. */
const garbagePerChunk = 3 * bodyChunkBytes;

/**
 * Writes packets to the server no faster than it takes them: at most `heldBytes` and one body packet are held, beside
 * what the socket buffers (its highWaterMark).
 *
 * A server carries out each change as it comes. One that accepts mail when its filter dies (`milter_default_action =
 * accept`) would keep inserted fields without the body that they tell of: so as many changes as can be held go out
 * together with the last word, in one write.
 */
export class VerdictWriter {
  readonly #socket: Duplex;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  /** Answers that were not written yet. */
  #goOns = 0;
  /** False: the server puts a space behind the colon itself. */
  leadingSpace = true;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** So many commands are answered: the server may go on. Written with what is said next, or by `flush`. */
  goOn(times: number): void {
    this.#goOns += times;
  }

  /** Writes the answers that wait. @throws when the connection is gone */
  flush(signal: AbortSignal): void | Promise<void> {
    if (this.#goOns > 0) return this.write(noBytes, signal);
  }

  /** Resolves when the packet is with the kernel, or there is room for more. @throws when the connection is gone */
  async write(packet: Buffer, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#socket.writable) throw new Error('the connection is closed');
    if (!this.#socket.write(this.#withGoOns(packet))) await once(this.#socket, 'drain', { signal });
  }

  /** We are still at work; left out where the server does not even read what it has. */
  progress(): void {
    if (this.#socket.writable && !this.#socket.writableNeedDrain) this.#socket.write(this.#withGoOns(progressPacket));
  }

  /** The changes, without the last word: until that is said they are undone by a refusal. */
  async changes(verdict: Extract<Verdict, { kind: 'accept' }>, signal: AbortSignal): Promise<void> {
    // Of a message that was taken back meanwhile.
    this.#takeHeld();
    for (const change of verdict.headerChanges) await this.#hold(headerPacket(change, this.leadingSpace), signal);
    if (verdict.body === undefined) return;
    let written = false;
    for await (const chunk of inChunks(verdict.body)) {
      await this.#hold(bodyPacket(chunk), signal);
      written = true;
    }
    if (!written) await this.#hold(bodyPacket(Buffer.alloc(0)), signal);
  }

  /** The last word on a message. @returns whether all of it went out */
  end(verdict: Verdict): Promise<boolean> {
    const changes = this.#takeHeld();
    // What was not said yet need not be undone.
    const last = verdict.kind === 'accept' ? Buffer.concat([...changes, continuePacket]) : replyPacket(verdict.reply);
    const packet = this.#withGoOns(last);
    if (!this.#socket.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#socket.write(packet, (error) => resolve(!error));
    });
  }

  async #hold(packet: Buffer, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#held.push(packet);
    this.#heldBytes += packet.length;
    if (this.#heldBytes > heldBytes) await this.write(Buffer.concat(this.#takeHeld()), signal);
  }

  #withGoOns(packet: Buffer): Buffer {
    if (this.#goOns === 0) return packet;
    const answers = Buffer.alloc(this.#goOns * continuePacket.length, continuePacket);
    this.#goOns = 0;
    return Buffer.concat([answers, packet]);
  }

  #takeHeld(): Buffer[] {
    this.#heldBytes = 0;
    return this.#held.splice(0);
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
      countGarbage(garbagePerChunk);
      chunk = Buffer.allocUnsafe(bodyChunkBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
