import type { Socket } from 'node:net';
import { isPositive, type Reply } from '../smtp/reply.ts';
import { Dialog } from './dialog.ts';
import type { Extensions, Session } from './interface.ts';
import type { Timeouts } from './timeouts.ts';

/**
 * Refusals after which a session is not used again: well below the number at which Postfix slows down and drops it
 * (smtpd_soft_error_limit).
 */
const maxRefusals = 5;
/** As many as one Postfix client connection would carry; junk_command_limit counts our NOOPs and RSETs to 100 too. */
const maxUses = 100;

export interface ChannelOptions {
  readonly peer: string;
  readonly extensions: Extensions;
  readonly protocol: 'smtp' | 'lmtp';
  readonly timeouts: Timeouts;
}

/** An opened connection, with what its next user must know of those before. The pool holds these. */
export class Channel {
  readonly peer: string;
  readonly local: Session['local'];
  readonly extensions: Extensions;
  readonly protocol: 'smtp' | 'lmtp';
  readonly timeouts: Timeouts;
  readonly pipelining: boolean;
  readonly dialog: Dialog;
  /**
   * MAIL or XFORWARD was said and no message has ended since: without RSET the next user would go on with it. Postfix
   * keeps what XFORWARD said until then, too, and would log another user's mail as from this client.
   */
  resetDue = false;
  #uses = 0;
  #refusals = 0;

  constructor(socket: Socket, options: ChannelOptions) {
    this.peer = options.peer;
    const { localAddress: address, localPort: port } = socket;
    this.local = address === undefined || port === undefined ? undefined : { address, port };
    this.extensions = options.extensions;
    this.protocol = options.protocol;
    this.timeouts = options.timeouts;
    this.pipelining = options.extensions.has('PIPELINING');
    this.dialog = new Dialog(socket, { peer: options.peer, pipelining: this.pipelining });
  }

  get alive(): boolean {
    return this.dialog.alive;
  }

  get retired(): boolean {
    return this.#uses >= maxUses || this.#refusals >= maxRefusals;
  }

  countUse(): void {
    this.#uses++;
  }

  countRefusal(): void {
    this.#refusals++;
  }

  async reset(): Promise<Reply> {
    this.resetDue = false;
    const reply = await this.dialog.command('RSET', { timeout: this.timeouts.rset });
    // RFC 5321 section 4.1.1.5: nothing but 250. What the next hop thinks of the transaction is unknown otherwise.
    if (!isPositive(reply)) throw this.dialog.outOfTurn('RSET', reply);
    return reply;
  }

  noop(): Promise<Reply> {
    this.countUse();
    return this.dialog.command('NOOP', { timeout: this.timeouts.noop });
  }

  quit(): void {
    this.dialog.quit(this.timeouts.quit);
  }
}
