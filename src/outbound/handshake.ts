import type { Socket } from 'node:net';
import type { Options, SMTPError } from 'nodemailer/lib/smtp-connection';
import { Failure, type FailureName } from '../smtp/failures.ts';
import { textToWire, wireToText } from '../smtp/reply.ts';
import { parseHello, type Hello } from './extensions.ts';
import { LibraryConnection } from './library.ts';

export interface HandshakeOptions {
  /** Nothing was read from it. */
  readonly connected: Socket;
  /** Our name in EHLO. */
  readonly hostname: string;
  readonly protocol: 'smtp' | 'lmtp';
  /** The name that the certificate must have where it is verified. */
  readonly host: string;
  readonly startTls: 'never' | 'ifOffered' | 'always';
  readonly tls: NonNullable<Options['tls']>;
  readonly auth: { readonly user: string; readonly pass: string } | undefined;
  /** Whether credentials may be said without TLS. */
  readonly trustedWire: boolean;
  /** For all of it, in ms. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface Opened extends Hello {
  /** The socket to go on with: that of TLS where it was negotiated. Only its own listeners are left on it. */
  readonly socket: Socket;
  readonly secure: boolean;
}

/**
 * Lets nodemailer's connection do greeting, EHLO, STARTTLS and AUTH on a connected socket, then takes the socket over.
 * `adopt` gets it in the same turn of the event loop, so that no data and no error comes while nobody listens.
 * The socket is closed when it fails.
 * @throws Failure nextHopUnreachable, nextHopTls, nextHopAuth
 */
export function handshake<T>(options: HandshakeOptions, adopt: (opened: Opened) => T): Promise<T> {
  const { connected } = options;
  return new Promise((resolve, reject) => {
    const connection = connectionOver(options);
    const fail = (kind: FailureName, error: Error): void => {
      settle();
      connection.close();
      connected.destroy();
      reject(new Failure(kind, { reason: wireToText(textToWire(error.message)), cause: error }));
    };
    const open = (hello: Hello): void => {
      settle();
      try {
        const { secure } = connection;
        resolve(adopt({ ...hello, secure, socket: connection.takeOver(connected) }));
      } catch (error) {
        fail('internal', error instanceof Error ? error : new Error(String(error)));
      }
    };
    const attempt = { connection, options, fail };
    const settle = watch(attempt);
    connection.connect((error) => {
      if (error) fail(kindOf(connection, error), error);
      else authenticate(attempt, open);
    });
  });
}

function connectionOver(options: HandshakeOptions): LibraryConnection {
  return new LibraryConnection({
    connection: options.connected,
    host: options.host,
    name: options.hostname,
    lmtp: options.protocol === 'lmtp',
    ignoreTLS: options.startTls === 'never',
    requireTLS: options.startTls === 'always',
    tls: options.tls,
    connectionTimeout: options.timeout,
    greetingTimeout: options.timeout,
    // The session never began: there is nothing to wait for.
    socketCloseTimeout: 0,
    maxResponseSize: 65536,
  });
}

interface Attempt {
  readonly connection: LibraryConnection;
  readonly options: HandshakeOptions;
  readonly fail: (kind: FailureName, error: Error) => void;
}

/** Fails the attempt for a time-out, an abort, a closed socket and an error. @returns ends the watch */
function watch({ connection, options, fail }: Attempt): () => void {
  const { connected } = options;
  const onAbort = (): void => fail('nextHopUnreachable', new Error('given up while opening the session'));
  const onTimeout = (): void => {
    fail(kindOf(connection, undefined), new Error(`session not open within ${options.timeout} ms`));
  };
  // nodemailer listens only from the next turn on: a socket that died before would keep it waiting.
  const onClose = (): void => {
    setImmediate(() => fail(kindOf(connection, undefined), new Error('connection closed by the next hop')));
  };
  const timer = setTimeout(onTimeout, options.timeout);
  options.signal.addEventListener('abort', onAbort);
  connected.once('close', onClose);
  connection.on('error', (error: SMTPError) => fail(kindOf(connection, error), error));
  return () => {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
    connected.removeListener('close', onClose);
  };
}

/** AUTH, where credentials are configured. */
function authenticate({ connection, options, fail }: Attempt, open: (hello: Hello) => void): void {
  // After AUTH this would be the reply to that.
  const hello = parseHello(connection.lastReply);
  const { auth } = options;
  if (!auth) {
    open(hello);
  } else if (!connection.secure && !options.trustedWire) {
    fail('nextHopAuth', new Error('outbound.auth needs TLS except on this machine, and there is none'));
  } else {
    connection.login({ credentials: { user: auth.user, pass: auth.pass } }, (refused) => {
      if (refused) fail('nextHopAuth', refused);
      else open(hello);
    });
  }
}

/** After STARTTLS was accepted, a failure without a reply of the next hop counts as a failure of TLS. */
function kindOf(connection: LibraryConnection, error: SMTPError | undefined): FailureName {
  if (error?.code === 'ETLS') return 'nextHopTls';
  return connection.tlsBegun && error?.responseCode === undefined ? 'nextHopTls' : 'nextHopUnreachable';
}
