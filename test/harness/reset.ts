import type { Socket } from 'node:net';

/**
 * Resets a connection with RST if that is safe. When a socket is reset that is still connecting or already half closed,
 * Node 20 leaves a handle open for ever and loops at its exit.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting || socket.writableEnded || socket.readableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
