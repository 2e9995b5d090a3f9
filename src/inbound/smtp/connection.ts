import type { Socket } from 'node:net';
import type { PathCommand } from '../../smtp/command.ts';
import { Failure, failureReply, type FailureName } from '../../smtp/failures.ts';
import type { Reply } from '../../smtp/reply.ts';
import type { Client, Offers, Transactions } from '../interface.ts';
import { helloReply, parseHello } from './hello.ts';
import { Wire, type LibraryServer, type WireEvents } from './library.ts';
import { parsePathCommand } from './path-command.ts';
import { receiveMessage } from './receive-message.ts';
import { ReplyWriter } from './reply-writer.ts';
import { parseXforward } from './xforward.ts';

type Done = () => void;

/** Commands that are answered together, and what follows. */
interface Waiting {
  readonly commands: number;
  readonly next: Done;
}

/** What a connection needs to know of its server. */
export interface ConnectionSettings {
  readonly hostname: string;
  readonly protocol: 'smtp' | 'lmtp';
  readonly maxMessageSize: number;
  readonly tls: 'off' | 'optional' | 'required';
  /** The library's own limit unless given. */
  readonly handshakeMs?: number | undefined;
  readonly offers: Offers;
  /** Of the client itself, behind a load balancer too. */
  readonly address: string;
  readonly mayXforward: boolean;
  readonly transactions: Transactions;
  /** A client that speaks something else than SMTP, or a connection that broke. */
  readonly onTrouble: (reason: string) => void;
  readonly onClosed: () => void;
}

/**
 * RCPTs passed on together. Fewer with MAIL: should the next hop refuse that, each RCPT behind it is an error to it, and
 * Postfix answers a session of more than ten ever more slowly (smtpd_soft_error_limit).
 */
const maxTogether = 50;
const maxWithMail = 4;

/** Commands without sense or out of place between two messages; as in Postfix (smtpd_hard_error_limit). */
const maxErrors = 20;

/** A web page can make a browser on a trusted host send such a request here, with SMTP commands in its body. */
const httpRequest = /^[A-Z]+ \S+ HTTP\/\d/i;

/**
 * One connection from a trusted neighbour: the order of its commands and the replies to them.
 *
 * Holds what the parser holds and the replies of one turn. No command is looked at before the one before is answered,
 * none while the client has not read its replies.
 */
export class RelayConnection {
  readonly #settings: ConnectionSettings;
  readonly #wire: Wire;
  readonly #replies: ReplyWriter;
  /** By which command the client introduced itself, and as whom; undefined before, and again after STARTTLS. */
  #hello: { readonly verb: string; readonly name: string } | undefined;
  #xforward = new Map<string, string>();
  #errors = 0;
  /** When we last sent it something, or when it connected, as of `performance.now`. */
  #lastSaid = performance.now();
  /** The relay works on a command, or on a message that was read to its end. */
  #working = false;

  constructor(server: LibraryServer, socket: Socket, settings: ConnectionSettings) {
    this.#settings = settings;
    const { address, maxMessageSize } = settings;
    const events: WireEvents = {
      command: (line, done) => this.#command(line, done),
      overlong: () => this.#giveUp('commandTooLong'),
      idle: () => this.#idle(),
      failed: settings.onTrouble,
      closed: () => {
        settings.transactions.close();
        settings.onClosed();
      },
    };
    const wire = { remoteAddress: address, maxMessageBytes: maxMessageSize, handshakeMs: settings.handshakeMs, events };
    this.#wire = new Wire(server, socket, wire);
    this.#replies = new ReplyWriter((text) => this.#wire.write(text));
  }

  begin(): void {
    this.#wire.begin();
    const { hostname, protocol } = this.#settings;
    this.#say({ code: 220, lines: [`${hostname} ${protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}`] });
  }

  /** True while the relay works on a command or a message: a shutdown waits for that. */
  get busy(): boolean {
    return this.#working || this.#wire.parser?.inMessage === true;
  }

  get lastSaid(): number {
    return this.#lastSaid;
  }

  /** Said by the server before it closes an idle connection. */
  shutDown(): void {
    this.#say(failureReply('shuttingDown'));
  }

  destroy(): void {
    this.#wire.destroy();
  }

  #command(line: string, done: Done): void {
    const verb = /^[^ \t]*/.exec(line)![0].toUpperCase();
    const next = (): void => this.#wire.whenWritable(done);
    const finish = (reply: Reply): void => {
      this.#say(reply);
      next();
    };
    switch (verb) {
      case 'EHLO':
      case 'HELO':
      case 'LHLO':
        if ((verb === 'LHLO') === (this.#settings.protocol === 'lmtp')) finish(this.#greet(verb, line));
        else finish(this.#error('unknownCommand'));
        return;
      case 'MAIL':
        this.#mail(line, next);
        return;
      case 'RCPT':
        this.#rcpt(line, next);
        return;
      case 'DATA':
        this.#data(line, next);
        return;
      case 'RSET':
        this.#reset();
        finish({ code: 250, lines: ['2.0.0 Ok'] });
        return;
      case 'NOOP':
        finish({ code: 250, lines: ['2.0.0 Ok'] });
        return;
      case 'QUIT':
        this.#quit(done);
        return;
      case 'VRFY':
        // RFC 5321 section 3.5.3: we cannot know, so the reply says neither yes nor no.
        finish({ code: 252, lines: ['2.5.0 Cannot VRFY user, but will try to deliver'] });
        return;
      case 'STARTTLS':
        this.#startTls(line, done);
        return;
      case 'XFORWARD':
        finish(this.#takeXforward(line));
        return;
      default:
        if (httpRequest.test(line)) this.#giveUp('notSmtp');
        else finish(this.#error('unknownCommand'));
    }
  }

  #greet(verb: string, line: string): Reply {
    const name = parseHello(line);
    if (name === undefined) return this.#error('syntax');
    this.#hello = { verb, name };
    this.#reset();
    const { hostname, maxMessageSize, offers, mayXforward: xforward, tls } = this.#settings;
    if (verb === 'HELO') return { code: 250, lines: [hostname] };
    return helloReply({ hostname, maxMessageSize, offers, xforward, starttls: tls !== 'off' && !this.#wire.secure });
  }

  /**
   * Many clients, Postfix among them, close the connection without reading the reply. If we went on reading, Node would
   * raise the reset as an error, which costs a tenth of a session.
   */
  #quit(done: Done): void {
    this.#say({ code: 221, lines: ['2.0.0 Bye'] });
    this.#replies.flush();
    this.#wire.hangUp();
    done();
  }

  /** RFC 3207: whatever was said in clear is forgotten; what was sent behind STARTTLS is dropped unread. */
  #startTls(line: string, done: Done): void {
    const { tls, transactions } = this.#settings;
    const refusal =
      tls === 'off' ? 'unknownCommand' : !isBare(line) ? 'syntax' : this.#wire.secure ? 'badSequence' : '';
    if (refusal !== '') {
      this.#say(this.#error(refusal));
      this.#wire.whenWritable(done);
      return;
    }
    this.#say({ code: 220, lines: ['2.0.0 Ready to start TLS'] });
    this.#replies.flush();
    transactions.reset();
    this.#xforward.clear();
    this.#hello = undefined;
    this.#wire.upgrade(done);
  }

  #takeXforward(line: string): Reply {
    if (!this.#settings.mayXforward) return this.#error('untrustedClient');
    const attributes = parseXforward(line);
    if (!attributes) return this.#error('syntax');
    for (const [name, value] of attributes) this.#xforward.set(name, value);
    return { code: 250, lines: ['2.0.0 Ok'] };
  }

  #mail(line: string, next: Done): void {
    const mail = parsePathCommand('MAIL FROM', line);
    const refusal = !this.#hello
      ? 'badSequence'
      : this.#settings.tls === 'required' && !this.#wire.secure
        ? 'tlsRequired'
        : 'syntax';
    if (!mail || refusal !== 'syntax') {
      this.#say(this.#error(refusal));
      next();
      return;
    }
    const rcpts = this.#pipelinedRcpts(maxWithMail);
    const answer = this.#settings.transactions.mail(mail, { client: this.#client(), rcpts });
    this.#work(answer, { commands: 1 + rcpts.length, next });
  }

  #rcpt(line: string, next: Done): void {
    const rcpt = parsePathCommand('RCPT TO', line);
    if (!rcpt || !this.#hello) {
      this.#say(this.#error(this.#hello ? 'syntax' : 'badSequence'));
      next();
      return;
    }
    const rcpts = [rcpt, ...this.#pipelinedRcpts(maxTogether - 1)];
    this.#work(this.#settings.transactions.rcpt(rcpts), { commands: rcpts.length, next });
  }

  #data(line: string, next: Done): void {
    const { parser } = this.#wire;
    const { transactions } = this.#settings;
    const refusal = !this.#hello
      ? this.#error('badSequence')
      : isBare(line)
        ? transactions.refuseData()
        : this.#error('syntax');
    if (refusal || !parser) {
      this.#say(refusal ?? failureReply('internal'));
      next();
      return;
    }
    receiveMessage(parser, transactions, {
      ended: () => (this.#working = true),
      answered: (replies, resume) => {
        this.#working = false;
        this.#errors = 0;
        // The attributes of XFORWARD hold for one transaction (XFORWARD_README).
        this.#xforward.clear();
        this.#say(...replies);
        this.#wire.whenWritable(resume);
      },
    });
    this.#say({ code: 354, lines: ['End data with <CR><LF>.<CR><LF>'] });
    next();
  }

  #client(): Client {
    const { address, protocol } = this.#settings;
    const name = protocol === 'lmtp' ? 'LMTP' : this.#hello?.verb === 'HELO' ? 'SMTP' : 'ESMTP';
    return {
      address,
      helo: this.#hello?.name ?? '',
      protocol: this.#wire.secure ? `${name}S` : name,
      xforward: new Map(this.#xforward),
    };
  }

  #reset(): void {
    this.#xforward.clear();
    this.#settings.transactions.reset();
  }

  /** RCPTs that came right behind the command at hand. */
  #pipelinedRcpts(max: number): readonly PathCommand[] {
    return this.#wire.parser?.takeCommands((line) => parsePathCommand('RCPT TO', line), max) ?? [];
  }

  #work(answer: Promise<readonly Reply[]>, { commands, next }: Waiting): void {
    this.#working = true;
    answer
      .catch((error: unknown) => new Array<Reply>(commands).fill(Failure.from(error).reply))
      .then((replies) => {
        this.#working = false;
        // RFC 5321 section 3.8: nothing comes after 421.
        const last = replies.findIndex(({ code }) => code === 421);
        this.#say(...(last < 0 ? replies : replies.slice(0, last + 1)));
        next();
      })
      // Nothing above should reject. If it does all the same, the connection must not hang.
      .catch(() => this.#wire.destroy());
  }

  /** While we work on something, it is not the client that is idle. */
  #idle(): 'waiting' | 'given up' {
    if (this.#working) return 'waiting';
    this.#wire.parser?.abandon('client fell silent within the message');
    this.#giveUp('clientTimeout');
    return 'given up';
  }

  #error(name: FailureName): Reply {
    this.#errors += 1;
    if (this.#errors <= maxErrors) return failureReply(name);
    this.#settings.onTrouble(`more than ${maxErrors} commands that make no sense`);
    return failureReply('tooManyErrors');
  }

  #giveUp(name: FailureName): void {
    const reply = failureReply(name);
    this.#settings.onTrouble(reply.lines.join());
    this.#say(reply);
  }

  /** A 421 ends the session, but an LMTP client must first get a reply for every recipient. */
  #say(...replies: readonly Reply[]): void {
    this.#lastSaid = performance.now();
    for (const reply of replies) this.#replies.say(reply);
    if (!replies.some(({ code }) => code === 421)) return;
    this.#replies.flush();
    this.#wire.close();
  }
}

/** A command without arguments. */
function isBare(line: string): boolean {
  return /^\S+[ \t]*$/.test(line);
}
