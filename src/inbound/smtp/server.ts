import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SMTPServer, type SMTPServerError, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import type { Config } from '../../config/config.ts';
import type { Log, Meter } from '../../observe/interface.ts';
import { failureReply } from '../../smtp/failures.ts';
import { NetworkList } from '../../smtp/networks.ts';
import { RelayConnection } from './connection.ts';
import type { Offers, Transactions } from '../interface.ts';

/** Postfix waits 300 s for the next command on a session that it keeps (smtp_data_done_timeout and kin are longer). */
const IDLE_TIMEOUT = 300_000;

export interface InboundOptions {
  readonly hostname: string;
  readonly inbound: Config['inbound'];
  readonly offers: Offers;
  readonly log: Log;
  readonly meter: Meter;
  /** Called for each trusted connection. */
  readonly open: (clientAddress: string) => Transactions;
}

/** The front door, listening. */
export interface Inbound {
  readonly address: string;
  readonly port: number;
  /** Takes no new connection, closes the idle ones, waits for the busy ones for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** @throws whatever listening or reading the certificate fails with */
export async function startInbound(options: InboundOptions): Promise<Inbound> {
  const server = new RelayServer(options);
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(options.inbound.port, options.inbound.address, () => {
      server.server.off('error', reject);
      resolve();
    });
  });
  const bound = server.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('inbound: not listening on a TCP port');
  return { address: bound.address, port: bound.port, close: (graceMs) => server.drain(graceMs) };
}

/** Transactions of a client that nobody trusts: never reached, as it is refused before its first command. */
const refused: Transactions = {
  mail: () => Promise.resolve([failureReply('untrustedClient')]),
  rcpt: () => Promise.resolve([failureReply('untrustedClient')]),
  refuseData: () => failureReply('untrustedClient'),
  data: () => Promise.resolve([failureReply('untrustedClient')]),
  reset: () => undefined,
  close: () => undefined,
};

class RelayServer extends SMTPServer {
  readonly limits: { readonly maxMessageSize: number };
  readonly #options: InboundOptions;
  readonly #trusted: NetworkList;
  readonly #xforward: NetworkList;
  readonly #proxies: NetworkList;

  constructor(options: InboundOptions) {
    const { inbound } = options;
    super(libraryOptions(options));
    this.#options = options;
    this.limits = { maxMessageSize: inbound.maxMessageSize };
    this.#trusted = new NetworkList(inbound.trustedNetworks);
    this.#xforward = new NetworkList(inbound.xforwardHosts);
    this.#proxies = new NetworkList(inbound.proxyHosts);
    this.on('error', (error: Error) => {
      options.log.info('client-error', { reason: error.message });
    });
  }

  override _expectsProxyHeader(socket: Socket): boolean {
    return this.#proxies.has(socket.remoteAddress ?? '');
  }

  /** The library draws a random name for each session, for its own log, at the price of all else that is done here. */
  override _handleProxy(...[socket, callback]: Parameters<SMTPServer['_handleProxy']>): void {
    if (this._expectsProxyHeader(socket)) super._handleProxy(socket, callback);
    else setImmediate(() => callback(null, { id: 'unnamed' }));
  }

  override connect(socket: Socket | TLSSocket, socketOptions?: SMTPConnectionOptions | null): void {
    const address = socketOptions?.remoteAddress ?? socket.remoteAddress;
    if (address === undefined) {
      // Reset before we came to it: nobody to talk to, and no stranger to warn of.
      socket.on('error', () => undefined).destroy();
      return;
    }
    const trusted = this.#trusted.has(address);
    const { hostname, inbound, offers, open } = this.#options;
    const connection = new RelayConnection(this, socket, socketOptions ?? {}, {
      hostname,
      protocol: inbound.protocol,
      maxMessageSize: inbound.maxMessageSize,
      tls: inbound.tls.mode,
      offers,
      trusted,
      mayXforward: trusted && this.#xforward.has(address),
      transactions: trusted ? open(address) : refused,
    });
    this.connections.add(connection);
    this.#options.meter.clients(this.connections.size);
    connection.on('error', (error: Error) => this._onError(error));
    connection.init();
    if (!trusted)
      this.#options.log.warn('client-refused', { client: address, reason: 'not in inbound.trustedNetworks' });
  }

  /** Asked by the library before it greets. */
  override onConnect(session: SMTPServerSession, callback: (error?: SMTPServerError | null) => void): void {
    const { code, lines } = failureReply('untrustedClient');
    if (this.#trusted.has(session.remoteAddress)) callback();
    else callback(Object.assign(new Error(lines[0]), { responseCode: code }));
  }

  override onClose(): void {
    this.#options.meter.clients(this.connections.size);
  }

  async drain(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    // Those that owe us their PROXY header are no connections yet, and would be waited for.
    for (const socket of this._pendingSockets.values()) socket.destroy();
    const closeIdle = (): void => {
      for (const connection of [...this.connections]) {
        if (connection instanceof RelayConnection && !connection.busy) connection.shutDown();
      }
    };
    closeIdle();
    const poll = setInterval(closeIdle, 50);
    const deadline = setTimeout(() => {
      for (const connection of [...this.connections]) connection._socket.destroy();
    }, graceMs);
    await closed;
    clearInterval(poll);
    clearTimeout(deadline);
  }
}

function libraryOptions({ hostname, inbound }: InboundOptions): SMTPServerOptions {
  const { tls } = inbound;
  return {
    name: hostname,
    lmtp: inbound.protocol === 'lmtp',
    size: inbound.maxMessageSize,
    maxClients: inbound.maxClients,
    socketTimeout: IDLE_TIMEOUT,
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    authOptional: true,
    // Without a certificate of the operator's, STARTTLS would be offered with a key that everybody knows.
    disabledCommands: ['AUTH', 'XCLIENT', 'WIZ', 'SHELL', 'KILL', 'HELP', ...(tls.mode === 'off' ? ['STARTTLS'] : [])],
    ...(tls.mode !== 'off' && tls.cert !== undefined && tls.key !== undefined
      ? { cert: readFileSync(tls.cert), key: readFileSync(tls.key), minVersion: 'TLSv1.2' as const }
      : {}),
  };
}
