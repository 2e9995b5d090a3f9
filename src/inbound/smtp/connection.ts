import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import type { SMTPServer } from 'smtp-server';
import type { PathCommand } from '../../smtp/command.ts';
import { atEndOfTurn } from '../../runtime/end-of-turn.ts';
import { Failure, failureReply } from '../../smtp/failures.ts';
import { formatReply, type Reply } from '../../smtp/reply.ts';
import type { Client, Offers, Transactions } from '../interface.ts';
import { parsePathCommand } from './path-command.ts';
import { WireParser, type Shortcut } from './wire-parser.ts';
import { parseXforward, XFORWARD_ATTRIBUTES } from './xforward.ts';

type Done = () => void;

/** What a connection needs to know of its server. */
export interface ConnectionSettings {
  readonly hostname: string;
  readonly protocol: 'smtp' | 'lmtp';
  readonly maxMessageSize: number;
  readonly tls: 'off' | 'optional' | 'required';
  readonly offers: Offers;
  /** Decided on the address of the connection, once. */
  readonly trusted: boolean;
  readonly mayXforward: boolean;
  readonly transactions: Transactions;
}

/**
 * RCPTs passed on together. Fewer with MAIL: should the next hop refuse that, each RCPT behind it is an error to it, and
 * Postfix answers a session of more than ten ever more slowly (smtpd_soft_error_limit).
 */
const MAX_TOGETHER = 50;
const MAX_WITH_MAIL = 4;

/** A command of 16 KiB has room for the longest path and its parameters. */
const MAX_COMMAND_LENGTH = 16 * 1024;

/**
 * One connection from a neighbour. The library keeps the socket, TLS and the order of commands; what MAIL, RCPT, EHLO
 * and DATA say and answer is ours, so that addresses, parameters and replies pass unchanged.
 */
export class RelayConnection extends SMTPConnection {
  readonly #settings: ConnectionSettings;
  #xforward = new Map<string, string>();
  #busy = false;
  #unsent = '';

  constructor(
    server: SMTPServer,
    socket: Socket | TLSSocket,
    options: SMTPConnectionOptions,
    settings: ConnectionSettings,
  ) {
    super(server, socket, options);
    this.#settings = settings;
    this.name = settings.hostname;
  }

  /** True while the relay works on a command or a message: a shutdown waits for that. */
  get busy(): boolean {
    return this.#busy || (this._parser !== false && this._parser._dataMode);
  }

  /** Runs in the constructor of the library's class: nothing of ours exists yet. */
  override _createParser(): WireParser {
    const { maxMessageSize } = (this._server as SMTPServer & { readonly limits: { readonly maxMessageSize: number } })
      .limits;
    const shortcut: Shortcut = (line, callback) => this.#shortcut(line, callback);
    const parser = new WireParser({ maxCommandLength: MAX_COMMAND_LENGTH, maxMessageSize, shortcut });
    parser.oncommand = (command, callback) => {
      this._onCommand(command, callback);
    };
    parser.on('error', (error) => {
      this.send(421, `Error: ${error.message}`);
    });
    return parser;
  }

  /**
   * The library waits 100 ms before its banner to catch clients that talk too soon. Trusted neighbours are no such
   * clients, and would pay for it with every session; the others wait and are then refused.
   */
  override init(): void {
    if (!this.#settings.trusted) {
      super.init();
      return;
    }
    this._setListeners(() => {
      const { maxClients } = this._server.options;
      if (maxClients && this._server.connections.size > maxClients) {
        this.#reply(failureReply('tooManyClients'));
        this.close();
        return;
      }
      this.connectionReady();
    });
  }

  /** While we work on something, it is not the client that is idle. */
  override _onTimeout(): void {
    if (this.#busy && !this._closing) this._armTimeout();
    else super._onTimeout();
  }

  /** What the library says by itself comes after what we have said. */
  override send(...reply: Parameters<SMTPConnection['send']>): void {
    this.#flush();
    super.send(...reply);
  }

  override close(): void {
    this.#flush();
    super.close();
  }

  override _onClose(): void {
    if (this._parser instanceof WireParser) this._parser.abandon();
    this.#settings.transactions.close();
    super._onClose();
  }

  override handler_EHLO(command: Buffer, callback: Done): void {
    this.#greet(command.toString('latin1'), callback);
  }

  override handler_HELO(command: Buffer, callback: Done): void {
    this.#greet(command.toString('latin1'), callback);
  }

  override handler_QUIT(_command: Buffer, callback: Done): void {
    this.#quit(callback);
  }

  override handler_RSET(_command: Buffer, callback: Done): void {
    this.#reset();
    this.#finish({ code: 250, lines: ['2.0.0 Ok'] }, callback);
  }

  /** RFC 5321 section 3.5.3: we cannot know, so neither yes nor no. */
  override handler_VRFY(_command: Buffer, callback: Done): void {
    this.#finish({ code: 252, lines: ['2.5.0 Cannot VRFY user, but will try to deliver'] }, callback);
  }

  override handler_STARTTLS(command: Buffer, callback: Done): void {
    this.#settings.transactions.reset();
    this.#xforward.clear();
    super.handler_STARTTLS(command, callback);
  }

  override handler_XFORWARD(command: Buffer, callback: Done): void {
    if (!this.#settings.mayXforward) {
      this.#finish(failureReply('untrustedClient'), callback);
      return;
    }
    const attributes = parseXforward(command.toString('latin1'));
    if (!attributes) {
      this.#finish(failureReply('syntax'), callback);
      return;
    }
    for (const [name, value] of attributes) this.#xforward.set(name, value);
    this.#finish({ code: 250, lines: ['2.0.0 Ok'] }, callback);
  }

  override handler_MAIL(command: Buffer, callback: Done): void {
    this.#mail(command.toString('latin1'), callback);
  }

  override handler_RCPT(command: Buffer, callback: Done): void {
    this.#rcpt(command.toString('latin1'), callback);
  }

  override handler_DATA(command: Buffer, callback: Done): void {
    if (command.toString('latin1').trim().length > 'DATA'.length) this.#finish(failureReply('syntax'), callback);
    else this.#data(callback);
  }

  /**
   * The commands that every session and message has, where the library would let them pass: by its way, which looks for
   * AUTH and HTTP and names them for its own log, they cost more than by themselves.
   */
  #shortcut(line: string, callback: Done): boolean {
    if (!this._ready || this._upgrading) return false;
    const goOn = (): void => this._whenWritable(callback);
    const verb = line.slice(0, 5).toUpperCase();
    if (this.hostNameAppearsAs === false) return this.#shortGreeting(verb, line, goOn);
    switch (verb) {
      case 'MAIL ':
        this.#mail(line, goOn);
        return true;
      case 'RCPT ':
        this.#rcpt(line, goOn);
        return true;
      case 'DATA':
        this.#data(goOn);
        return true;
      case 'QUIT':
        this.#quit(goOn);
        return true;
      default:
        return false;
    }
  }

  #shortGreeting(verb: string, line: string, callback: Done): boolean {
    if (this.#settings.protocol !== 'smtp' || (verb !== 'EHLO ' && verb !== 'HELO ')) return false;
    this.openingCommand = verb.trimEnd();
    this.#greet(line, callback);
    return true;
  }

  #greet(command: string, callback: Done): void {
    const argument = /^\S+[ \t]+(\S+)[ \t]*$/.exec(command)?.[1];
    if (argument === undefined || argument.length > 255 || /[\u0000-\u001f\u007f]/.test(argument)) {
      this.#finish(failureReply('syntax'), callback);
      return;
    }
    this.hostNameAppearsAs = argument;
    this.#reset();
    const { hostname } = this.#settings;
    const lines = this.openingCommand === 'HELO' ? [hostname] : [hostname, ...this.#extensions()];
    this.#finish({ code: 250, lines }, callback);
  }

  #extensions(): readonly string[] {
    const { maxMessageSize, offers, mayXforward, tls } = this.#settings;
    const names = ['PIPELINING', `SIZE ${maxMessageSize}`, 'ENHANCEDSTATUSCODES', ...offers.extensions()];
    if (tls !== 'off' && !this.secure) names.push('STARTTLS');
    if (mayXforward) names.push(`XFORWARD ${XFORWARD_ATTRIBUTES.join(' ')}`);
    return names;
  }

  /**
   * Many a client, Postfix among them, leaves without waiting for the reply, and a socket that is read on would tell of
   * the reset as an error, which costs a tenth of a session.
   */
  #quit(callback: Done): void {
    this.#reply({ code: 221, lines: ['2.0.0 Bye'] });
    this.close();
    this._socket.destroySoon();
    callback();
  }

  #mail(line: string, callback: Done): void {
    if (this.#settings.tls === 'required' && !this.secure) {
      this.#finish(failureReply('tlsRequired'), callback);
      return;
    }
    const mail = parsePathCommand('MAIL FROM', line);
    if (!mail) {
      this.#finish(failureReply('syntax'), callback);
      return;
    }
    const rcpts = this.#pipelinedRcpts(MAX_WITH_MAIL);
    this.#work(this.#settings.transactions.mail(mail, this.#client(), rcpts), 1 + rcpts.length, callback);
  }

  #rcpt(line: string, callback: Done): void {
    const rcpt = parsePathCommand('RCPT TO', line);
    if (!rcpt) {
      this.#finish(failureReply('syntax'), callback);
      return;
    }
    const rcpts = [rcpt, ...this.#pipelinedRcpts(MAX_TOGETHER - 1)];
    this.#work(this.#settings.transactions.rcpt(rcpts), rcpts.length, callback);
  }

  #data(callback: Done): void {
    const refusal = this.#settings.transactions.refuseData();
    if (refusal || !(this._parser instanceof WireParser)) {
      this.#finish(refusal ?? failureReply('internal'), callback);
      return;
    }
    let resume: Done | undefined;
    let replies: readonly Reply[] | undefined;
    const settle = (): void => {
      if (!resume || !replies) return;
      this.#busy = false;
      this.#reply(...replies);
      // The attributes of XFORWARD hold for one transaction (XFORWARD_README).
      this.#xforward.clear();
      this._whenWritable(resume);
    };
    const body = this._parser.receive((next) => {
      this.#busy = true;
      resume = next;
      settle();
    });
    this.#settings.transactions.data(body).then(
      (result) => {
        replies = result;
        if (!body.ended) body.discard();
        settle();
      },
      (error: unknown) => {
        replies = [Failure.from(error).reply];
        body.discard();
        settle();
      },
    );
    this.#reply({ code: 354, lines: ['End data with <CR><LF>.<CR><LF>'] });
    callback();
  }

  /** Said by the server before it closes an idle connection. */
  shutDown(): void {
    this.#reply(failureReply('shuttingDown'));
    this.close();
  }

  #client(): Client {
    const protocol = this.#settings.protocol === 'lmtp' ? 'LMTP' : this.openingCommand === 'HELO' ? 'SMTP' : 'ESMTP';
    return {
      address: this.remoteAddress,
      helo: this.hostNameAppearsAs || '',
      protocol: this.secure ? `${protocol}S` : protocol,
      xforward: new Map(this.#xforward),
    };
  }

  #reset(): void {
    this.#xforward.clear();
    this.#settings.transactions.reset();
    this._resetSession();
  }

  /** RCPTs that came right behind the command at hand. */
  #pipelinedRcpts(max: number): readonly PathCommand[] {
    if (!(this._parser instanceof WireParser)) return [];
    return this._parser.takeCommands((line) => parsePathCommand('RCPT TO', line), max);
  }

  #work(answer: Promise<readonly Reply[]>, commands: number, callback: Done): void {
    this.#busy = true;
    answer
      .catch((error: unknown) => new Array<Reply>(commands).fill(Failure.from(error).reply))
      .then((replies) => {
        this.#busy = false;
        // RFC 5321 section 3.8: nothing comes after 421.
        const last = replies.findIndex(({ code }) => code === 421);
        this.#reply(...(last < 0 ? replies : replies.slice(0, last + 1)));
        callback();
      })
      // Nothing above can reject; were it to, the connection must not hang.
      .catch(() => this._socket.destroy());
  }

  #finish(reply: Reply, callback: Done): void {
    this.#reply(reply);
    callback();
  }

  /**
   * What is said in one turn leaves in one write: the replies to MAIL, to the RCPTs and to DATA of a client that
   * pipelines. A 421 ends the session, but not before an LMTP client has heard what became of every recipient.
   */
  #reply(...replies: readonly Reply[]): void {
    if (this.#unsent === '') atEndOfTurn(this.#flush);
    for (const reply of replies) this.#unsent += formatReply(reply);
    if (replies.some(({ code }) => code === 421)) this.close();
  }

  readonly #flush = (): void => {
    const text = this.#unsent;
    this.#unsent = '';
    if (text === '' || this._upgrading || this._socket.destroyed || !this._socket.writable) return;
    this._socket.write(text, 'latin1');
  };
}
