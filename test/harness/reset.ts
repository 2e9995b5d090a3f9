import type { Socket } from 'node:net';

/**
 * Breaks a connection off with RST where that can be done: Node 20 leaves a handle open for good, and then spins in its
 * own exit, when a socket is reset that is still connecting or already half closed.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting || socket.writableEnded || socket.readableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
