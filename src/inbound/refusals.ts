import type { Socket } from 'node:net';
import { formatReply, type Reply } from '../smtp/reply.ts';

/** How long a refused client may take to read its reply and to close its side. */
const lingerMs = 1_000;

/** Refused connections that are kept open for that at a time; further ones are closed as soon as the reply is written. */
const maxLingering = 100;

/**
 * Connections that get one reply in place of a banner (RFC 5321 section 3.1) and are closed. Nothing that such a client
 * sends is looked at; none of them has a place among the clients.
 */
export class Refusals {
  readonly #lingering = new Map<Socket, NodeJS.Timeout>();

  refuse(socket: Socket, reply: Reply): void {
    socket.on('error', () => undefined);
    if (this.#lingering.size >= maxLingering) {
      socket.write(formatReply(reply), 'latin1');
      socket.destroySoon();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
    this.#lingering.set(socket, timer);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#lingering.delete(socket);
    });
    // With input unread the system would reset the connection, and the reply would be lost.
    socket.resume();
    socket.end(formatReply(reply), 'latin1');
  }

  close(): void {
    for (const socket of this.#lingering.keys()) socket.destroy();
  }
}
