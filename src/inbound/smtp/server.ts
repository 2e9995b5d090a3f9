import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { SMTPServerOptions } from 'smtp-server';
import type { Config } from '../../config/config.ts';
import { RepeatedLines, type Log, type Meter } from '../../observe/interface.ts';
import { failureReply } from '../../smtp/failures.ts';
import { canonicalAddress, NetworkList } from '../../smtp/networks.ts';
import { CountedClients, type Admission, type ClientLimits } from '../client-limits.ts';
import type { Closing, Offers, Transactions } from '../interface.ts';
import { ProxyPeers, type Peer } from '../proxy/peers.ts';
import { Refusals } from '../refusals.ts';
import { RelayConnection } from './connection.ts';
import { LibraryServer } from './library.ts';

/** A client that has heard nothing for this long while a new generation serves already is idle. */
const lingerMs = 3000;

/** Postfix waits 300 s for the next command on a session that it keeps (smtp_data_done_timeout and kin are longer). */
const idleTimeoutMs = 300_000;

/**
 * TLS 1.3, and of TLS 1.2 what has forward secrecy and authenticates what it encrypts. Each Postfix and OpenSSL of the
 * last ten years has these.
 */
const cipherList = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

/** TLS 1.3 would also take the groups of RFC 7919, which have no elliptic curve. */
const curves = ['X25519', 'prime256v1', 'secp384r1', 'secp521r1'].join(':');

const strongTls = { minVersion: 'TLSv1.2', ciphers: cipherList, ecdhCurve: curves } as const;

/** The configuration of a door for SMTP or LMTP. */
export type SmtpInbound = Omit<Config['inbound'], 'protocol' | 'socketMode' | 'socketGroup'> & {
  readonly protocol: 'smtp' | 'lmtp';
};

export interface InboundOptions {
  readonly hostname: string;
  readonly inbound: SmtpInbound;
  readonly offers: Offers;
  readonly log: Log;
  readonly meter: Pick<Meter, 'clients'>;
  /** Absent: this process counts for itself. */
  readonly limits?: ClientLimits;
  /** A listening socket of the service's, in place of `inbound.address` and `inbound.port`. */
  readonly listenOn?: object;
  /** How long a TLS handshake may take; a limit of this room unless given. */
  readonly handshakeMs?: number;
  /** Called for each trusted connection. */
  readonly open: (clientAddress: string) => Transactions;
}

/** The front door, listening. */
export interface Inbound {
  readonly address: string;
  readonly port: number;
  /** Takes no new connection, closes the idle ones, waits for the busy ones. */
  close(closing: Closing): Promise<void>;
}

/** @throws whatever listening or reading the certificate fails with */
export async function startInbound(options: InboundOptions): Promise<Inbound> {
  const server = new RelayServer(options);
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    const listening = (): void => {
      server.server.off('error', reject);
      resolve();
    };
    // The library passes on whatever Server.listen of Node takes; its types say less.
    if (options.listenOn) server.server.listen(options.listenOn, listening);
    else server.listen(options.inbound.port, options.inbound.address, listening);
  });
  const bound = server.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('inbound: not listening on a TCP port');
  return { address: bound.address, port: bound.port, close: (closing) => server.drain(closing) };
}

/** Decides who is served: by the address of the client, then by the number of clients. */
class RelayServer extends LibraryServer {
  readonly #options: InboundOptions;
  readonly #trusted: NetworkList;
  readonly #xforward: NetworkList;
  readonly #proxies: ProxyPeers;
  readonly #limits: ClientLimits;
  readonly #refusals = new Refusals();
  readonly #repeated: RepeatedLines;
  readonly #connections = new Set<RelayConnection>();

  constructor(options: InboundOptions) {
    const { inbound, log, limits } = options;
    super(libraryOptions(options));
    this.#options = options;
    this.#trusted = new NetworkList(inbound.trustedNetworks);
    this.#xforward = new NetworkList(inbound.xforwardHosts);
    this.#limits = limits ?? new CountedClients(inbound);
    this.#repeated = new RepeatedLines(log);
    this.#proxies = new ProxyPeers(inbound, (proxy, reason) => {
      this.#repeated.warn('proxy-header-refused', proxy, { proxy, reason });
    });
    this.on('error', (error: Error) => log.error('inbound-failed', { err: error }));
  }

  protected override accept(socket: Socket): void {
    // A client may reset the connection while other processes are asked for a place, before anybody else listens: an
    // error without a listener would end the process.
    socket.on('error', () => undefined);
    const address = socket.remoteAddress;
    if (address === undefined) {
      // The connection was reset before we handled it: there is nobody to reply to, and no stranger to log.
      socket.destroy();
      return;
    }
    const peer = this.#proxies.identify(socket, canonicalAddress(address));
    if (!(peer instanceof Promise)) this.#meet(socket, peer);
    else peer.then((found) => found && this.#meet(socket, found)).catch(() => socket.destroy());
  }

  #meet(socket: Socket, peer: Peer): void {
    if (peer.address === undefined || !this.#trusted.has(peer.address)) {
      this.#refuseStranger(socket, peer);
      return;
    }
    const { address } = peer;
    const admission = this.#limits.enter(address);
    if (!(admission instanceof Promise)) this.#greet(socket, { address, admission });
    else
      admission.then((granted) => this.#greet(socket, { address, admission: granted })).catch(() => socket.destroy());
  }

  #refuseStranger(socket: Socket, { address, proxy }: Peer): void {
    const client = address ?? 'unknown';
    const reason =
      address === undefined ? 'the balancer does not say who the client is' : 'not in inbound.trustedNetworks';
    // The health check of a balancer needs no trust.
    if (address === undefined || address !== proxy)
      this.#repeated.warn('client-refused', client, { client, proxy, reason });
    this.#refusals.refuse(socket, failureReply('untrustedClient'));
  }

  #greet(socket: Socket, { address, admission }: { readonly address: string; readonly admission: Admission }): void {
    if (admission.kind === 'refused') {
      this.#repeated.warn('client-refused', address, { client: address, reason: admission.failure });
      this.#refusals.refuse(socket, failureReply(admission.failure));
      return;
    }
    if (socket.destroyed) {
      admission.leave();
      return;
    }
    const { hostname, inbound, offers, open } = this.#options;
    const connection = new RelayConnection(this, socket, {
      hostname,
      protocol: inbound.protocol,
      maxMessageSize: inbound.maxMessageSize,
      tls: inbound.tls.mode,
      handshakeMs: this.#options.handshakeMs,
      offers,
      address,
      mayXforward: this.#xforward.has(address),
      transactions: open(address),
      onTrouble: (reason) => this.#repeated.info('client-error', `${address} ${reason}`, { client: address, reason }),
      onClosed: () => {
        admission.leave();
        this.#connections.delete(connection);
        this.#options.meter.clients(this.#connections.size);
      },
    });
    this.#connections.add(connection);
    this.#options.meter.clients(this.#connections.size);
    connection.begin();
  }

  async drain({ hurry, deadline }: Closing): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const closeIdle = (): void => {
      if (hurry.aborted) this.#closeStrangers();
      const idleSince = hurry.aborted ? Infinity : performance.now() - lingerMs;
      for (const connection of [...this.#connections]) {
        if (!connection.busy && connection.lastSaid <= idleSince) connection.shutDown();
      }
    };
    const cut = (): void => {
      this.#closeStrangers();
      for (const connection of [...this.#connections]) connection.destroy();
    };
    closeIdle();
    const poll = setInterval(closeIdle, 50);
    if (deadline.aborted) cut();
    deadline.addEventListener('abort', cut);
    await closed;
    clearInterval(poll);
    deadline.removeEventListener('abort', cut);
    this.#repeated.close();
  }

  /** Connections that have not sent their PROXY header yet, or that were refused, are not waited for. */
  #closeStrangers(): void {
    this.#proxies.close();
    this.#refusals.close();
  }
}

function libraryOptions({ inbound: { tls } }: InboundOptions): SMTPServerOptions {
  return {
    socketTimeout: idleTimeoutMs,
    // Without a certificate of the operator's, the library would offer STARTTLS with a key that everybody knows.
    ...(tls.mode !== 'off' && tls.cert !== undefined && tls.key !== undefined
      ? { ...strongTls, cert: readFileSync(tls.cert), key: readFileSync(tls.key) }
      : { disabledCommands: ['STARTTLS'] }),
  };
}
