import net from 'node:net';
import type { NextHopAddress } from '../config/config.ts';
import { errorText, Failure } from '../smtp/failures.ts';

/**
 * Time for one address of several before the next one is tried: enough to reach any continent, but not the whole
 * budget.
 */
const attemptTimeout = 3000;

/** Whether traffic to this address stays on the machine. `remoteAddress`: what it was resolved to. */
export function staysLocal(address: NextHopAddress, remoteAddress: string | undefined): boolean {
  return address.kind === 'unix' || /^(?:(?:::ffff:)?127\.|::1$)/i.test(remoteAddress ?? '');
}

interface ConnectOptions {
  /** In ms. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Connects, and no more: nothing is read. Names are resolved as the system does it (hosts file included, as Postfix
 * with `smtp_host_lookup = native`), and all addresses of a name are tried.
 * @throws Failure nextHopUnreachable
 */
export function connect(address: NextHopAddress, { timeout, signal }: ConnectOptions): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      address.kind === 'unix'
        ? net.connect({ path: address.path })
        : net.connect({
            host: address.host,
            port: address.port,
            noDelay: true,
            keepAlive: true,
            autoSelectFamilyAttemptTimeout: attemptTimeout,
          });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect);
      socket.removeListener('error', onError);
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const onError = (error: Error): void => {
      settle();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(new Failure('nextHopUnreachable', { reason: describeConnectError(error), cause: error }));
    };
    const onAbort = (): void => onError(new Error('given up while connecting'));
    const timer = setTimeout(() => onError(new Error(`no connection within ${timeout} ms`)), timeout);
    signal.addEventListener('abort', onAbort);
    socket.on('connect', onConnect);
    socket.on('error', onError);
  });
}

/** With several addresses Node gives an AggregateError, whose message is empty. */
function describeConnectError(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map(errorText).join('; ');
}
