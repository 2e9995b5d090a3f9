import type { Socket } from 'node:net';
import { formatNextHop } from '../config/addresses.ts';
import type { Config, NextHopAddress } from '../config/config.ts';
import type { Log } from '../observe/interface.ts';
import { Failure } from '../smtp/failures.ts';
import { Channel } from './channel.ts';
import { connect } from './connect.ts';
import { handshake, type HandshakeOptions, type Opened } from './handshake.ts';
import type { Extensions } from './interface.ts';
import { openWithTls, sessionOptions } from './session-options.ts';
import type { Timeouts } from './timeouts.ts';
import type { TlsFiles } from './tls-files.ts';

export interface OpenerOptions {
  readonly outbound: Config['outbound'];
  readonly files: TlsFiles;
  readonly hostname: string;
  readonly log: Log;
  readonly timeouts: Timeouts;
  readonly isMirror: (extensions: Extensions) => boolean;
  readonly isOwnListener: (remoteAddress: string, remotePort: number) => boolean;
}

/** One next hop of the list, asked once. */
interface Attempt {
  readonly address: NextHopAddress;
  /** The address as the operator wrote it. */
  readonly peer: string;
  /** In ms. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

type Adopted = Pick<Opened, 'name' | 'secure'> & { readonly channel: Channel };

/** Opens connections to the first next hop of the list that takes one. */
export class Opener {
  readonly #options: OpenerOptions;
  readonly #namesake = new Set<string>();

  constructor(options: OpenerOptions) {
    this.#options = options;
  }

  /** @throws Failure nextHopUnreachable, nextHopTls, nextHopAuth: the last one's; mirror at once */
  async open(signal: AbortSignal): Promise<Channel> {
    const { outbound, timeouts, log } = this.#options;
    const deadline = performance.now() + timeouts.reach;
    let last = new Failure('nextHopUnreachable', { reason: 'outbound.nextHop is empty' });
    for (const [i, address] of outbound.nextHop.entries()) {
      // Time that a quick failure has not used goes to those that follow.
      const share = (deadline - performance.now()) / (outbound.nextHop.length - i);
      if (share < 1) break;
      const peer = formatNextHop(address);
      try {
        return await this.#openOne({ address, peer, timeout: share, signal });
      } catch (error) {
        last = Failure.from(error, 'nextHopUnreachable');
        // A configuration error must be visible, so the next one in the list is not tried.
        if (last.kind === 'mirror' || signal.aborted) throw last;
        log.warn('next-hop-failed', { nextHop: peer, failure: last.kind, reason: last.message });
      }
    }
    throw last;
  }

  async #openOne(attempt: Attempt): Promise<Channel> {
    const { log } = this.#options;
    const { peer } = attempt;
    const { channel, name, secure } = await this.#handshakes(attempt);
    if (this.#options.isMirror(channel.extensions)) {
      channel.quit();
      throw this.#mirror(peer, 'it offers XDETACH with the fingerprint of our own cluster');
    }
    this.#warnOfNamesake(name, peer);
    log.debug('next-hop-session-opened', { nextHop: peer, tls: secure, extensions: [...channel.extensions.keys()] });
    return channel;
  }

  #handshakes(attempt: Attempt): Promise<Adopted> {
    const { mode } = this.#options.outbound.tls;
    const { peer, timeout } = attempt;
    const began = performance.now();
    const open = (startTls: HandshakeOptions['startTls']): Promise<Adopted> => {
      const left = startTls === 'ifOffered' ? timeout / 2 : timeout - (performance.now() - began);
      return this.#handshake({ ...attempt, timeout: left }, startTls);
    };
    return openWithTls(mode, open, ({ message }) =>
      this.#options.log.warn('next-hop-tls-failed', { nextHop: peer, reason: message, goesOn: 'in clear' }),
    );
  }

  async #handshake(
    { address, peer, timeout, signal }: Attempt,
    startTls: HandshakeOptions['startTls'],
  ): Promise<Adopted> {
    const { outbound, hostname, timeouts, files } = this.#options;
    const began = performance.now();
    const socket = await connect(address, { timeout, signal });
    this.#refuseOwnListener(socket, peer);
    const { protocol } = outbound;
    const handshakeOptions: HandshakeOptions = {
      connected: socket,
      ...sessionOptions({ outbound, files, hostname, address, remoteAddress: socket.remoteAddress }),
      startTls,
      timeout: timeout - (performance.now() - began),
      signal,
    };
    return handshake(handshakeOptions, ({ name, secure, extensions, socket }) => {
      return { name, secure, channel: new Channel(socket, { peer, extensions, protocol, timeouts }) };
    });
  }

  #refuseOwnListener(socket: Socket, peer: string): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) return;
    if (!this.#options.isOwnListener(remoteAddress, remotePort)) return;
    socket.destroy();
    throw this.#mirror(peer, `${remoteAddress} port ${remotePort} is one of our own listeners`);
  }

  #mirror(peer: string, evidence: string): Failure {
    this.#options.log.error('next-hop-is-this-relay', {
      nextHop: peer,
      evidence,
      fix: 'set outbound.nextHop to the mail server that delivers: mail sent here would come back for ever',
    });
    return new Failure('mirror', { reason: `${peer}: ${evidence}` });
  }

  /**
   * Only a warning, because the mail server may share the machine and its name. Once for each next hop, not for each
   * session.
   */
  #warnOfNamesake(name: string, peer: string): void {
    const { hostname, log } = this.#options;
    if (name.toLowerCase() !== hostname.toLowerCase() || this.#namesake.has(peer)) return;
    this.#namesake.add(peer);
    log.warn('next-hop-has-our-name', {
      nextHop: peer,
      name,
      fix: 'give hostname a value of its own: some mail servers refuse a client with their name as a mail loop',
    });
  }
}
