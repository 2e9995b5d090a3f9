/**
 * Circles that lead through a Postfix which hands mail to us before it queues it (smtpd_proxy_filter). When our next hop
 * is that same listener, each MAIL opens one more session, and every session waits for the next one. Postfix does not
 * pass XDETACH on, so the call chain cannot be seen. Postfix does say by XFORWARD who its client is. A MAIL was caused
 * by a question of ours that still waits for its answer when
 *
 * - IDENT carries the mark of a transaction that waits: the listener accepts XFORWARD from us and gives the mark back;
 * - or there is no IDENT, and ADDR and PORT are our end of a session on which we wait: the listener does not accept
 *   XFORWARD from us, so we are the client that it names.
 *
 * ADDR and PORT alone prove nothing. Two messages of one client, and two deliveries of one message, have the same
 * original client at the same time. Mail that an alias sends back names our session too, while another message uses it;
 * but that mail has been in a queue, so it has an IDENT. Two connections of one machine to two listeners may have the
 * same port; but only we call ourselves by our name.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { availableAttribute } from '../smtp/xforward.ts';
import type { Call, Calls } from './interface.ts';
import { isOfThisMachine, plainAddress } from './mirror.ts';

/** The question that every process of the service is asked. A plain object, because it is sent between processes. */
export interface CallQuestion {
  /** Our end of a session, `address port`. */
  readonly session: string | undefined;
  readonly marks: readonly string[];
  /** Ask for calls that have waited for at least this long. */
  readonly waitingMs: number;
}

export interface OpenCallsOptions {
  /** Our name in EHLO. */
  readonly hostname: string;
  /** Asks the other processes of the service: true when one of them has such a call. */
  readonly askOthers: (question: CallQuestion) => Promise<boolean>;
  /** In place of `defaultConfirmMs`. */
  readonly confirmMs?: number;
}

/**
 * A call that looks like the cause of a MAIL must still wait after this time. In a circle it does. Otherwise its answer
 * is on its way to us: Postfix may start to deliver a message before we have read its 250.
 */
const defaultConfirmMs = 150;

/** Limits the IDENT that we pass on. It has room for a queue id of Postfix and the marks of several filters. */
const maxIdentLength = 100;
/** The form of ids that `TransactionRecord` makes. For anything else in IDENT the other processes need not be asked. */
const markPattern = /^[0-9a-f]{8}[0-9A-Z]{1,12}$/;

/** The questions to the next hop that wait for an answer in this process. */
export class OpenCalls implements Calls {
  readonly #options: OpenCallsOptions;
  readonly #waiting = new Set<Call & { readonly since: number }>();

  constructor(options: OpenCallsOptions) {
    this.#options = options;
  }

  begin({ id, session }: Call): () => void {
    const waiting = { id, session, since: performance.now() };
    this.#waiting.add(waiting);
    return () => void this.#waiting.delete(waiting);
  }

  mark(xforward: ReadonlyMap<string, string>, id: string): ReadonlyMap<string, string> {
    const ident = availableAttribute(xforward, 'IDENT')?.slice(-maxIdentLength);
    return new Map(xforward).set('IDENT', ident === undefined ? id : `${ident}.${id}`);
  }

  async causeOf(xforward: ReadonlyMap<string, string>, signal: AbortSignal): Promise<string | undefined> {
    const suspicion = this.#suspicion(xforward);
    if (!suspicion) return undefined;
    const { reason, ...question } = suspicion;
    const asked = performance.now();
    if (!(await this.#isWaitingAnywhere({ ...question, waitingMs: 0 }))) return undefined;
    const { confirmMs = defaultConfirmMs } = this.#options;
    await pause(confirmMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    // The age is measured, because a timer may end early: a call that was there when we first looked must be found
    // again.
    const waitingMs = performance.now() - asked;
    return (await this.#isWaitingAnywhere({ ...question, waitingMs })) ? reason : undefined;
  }

  /** Whether this process has such a call. */
  isWaiting({ session, marks, waitingMs }: CallQuestion): boolean {
    const latest = performance.now() - waitingMs;
    return [...this.#waiting].some(
      (call) =>
        call.since <= latest && (marks.includes(call.id) || (session !== undefined && sessionKey(call) === session)),
    );
  }

  async #isWaitingAnywhere(question: CallQuestion): Promise<boolean> {
    return this.isWaiting(question) || this.#options.askOthers(question);
  }

  /** What to ask for, or undefined when this MAIL cannot come from a call of ours. */
  #suspicion(
    xforward: ReadonlyMap<string, string>,
  ): (Omit<CallQuestion, 'waitingMs'> & { reason: string }) | undefined {
    const ident = availableAttribute(xforward, 'IDENT');
    if (ident !== undefined) {
      const marks = ident.split('.').filter((part) => markPattern.test(part));
      const reason = `the next hop handed transaction ${marks.join(' or ')} back to us (XFORWARD IDENT)`;
      return marks.length > 0 ? { session: undefined, marks, reason } : undefined;
    }
    const address = plainAddress(availableAttribute(xforward, 'ADDR') ?? '');
    const port = availableAttribute(xforward, 'PORT');
    const helo = availableAttribute(xforward, 'HELO') ?? this.#options.hostname;
    if (port === undefined || helo.toLowerCase() !== this.#options.hostname.toLowerCase()) return undefined;
    if (!isOfThisMachine(address)) return undefined;
    const reason = `the client that XFORWARD names, ${address} port ${port}, is our own session with the next hop`;
    return { session: `${address} ${port}`, marks: [], reason };
  }
}

const sessionKey = ({ session }: Call): string | undefined =>
  session && `${plainAddress(session.address)} ${session.port}`;
