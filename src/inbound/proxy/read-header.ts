import type { Socket } from 'node:net';
import { parseProxyHeader, type ProxyHeader } from './header.ts';

/** A balancer sends the header with its first segment. */
const headerTimeoutMs = 5_000;

/** What was read instead of a header. */
export class ProxyHeaderError extends Error {
  override readonly name = 'ProxyHeaderError';
}

/**
 * Reads the PROXY header that a connection begins with, and leaves what follows it in the socket, which is not flowing
 * then. Holds one header.
 * @returns undefined when the connection ended before a single octet came, as that of a plain health check does
 * @throws ProxyHeaderError; the socket is destroyed then
 */
export function readProxyHeader(socket: Socket, timeoutMs = headerTimeoutMs): Promise<ProxyHeader | undefined> {
  return new Promise((resolve, reject) => {
    let data = Buffer.alloc(0);
    const settle = (): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onEnd);
      // Errors that come late must not end the process. A caller that goes on with the socket listens in this turn.
      if (socket.destroyed) socket.on('error', () => undefined);
    };
    const fail = (reason: string): void => {
      socket.destroy();
      settle();
      reject(new ProxyHeaderError(reason));
    };
    const onEnd = (): void => {
      if (data.length > 0) fail('connection ended within the PROXY header');
      else {
        socket.destroy();
        settle();
        resolve(undefined);
      }
    };
    const onReadable = (): void => {
      for (let chunk = takeFrom(socket); chunk !== null; chunk = takeFrom(socket)) {
        data = Buffer.concat([data, chunk]);
        const parsed = parseProxyHeader(data);
        if (parsed.kind === 'incomplete') continue;
        if (parsed.kind === 'broken') {
          fail(parsed.reason);
          return;
        }
        settle();
        if (data.length > parsed.length) socket.unshift(data.subarray(parsed.length));
        resolve(parsed.header);
        return;
      }
    };
    const timer = setTimeout(() => fail(`no PROXY header within ${timeoutMs} ms`), timeoutMs);
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onEnd);
  });
}

function takeFrom(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}
