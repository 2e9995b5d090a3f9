import { Failure } from '../../smtp/failures.ts';
import type { Reply } from '../../smtp/reply.ts';
import type { Transactions } from '../interface.ts';
import type { WireParser } from './wire-parser.ts';

export interface MessageEvents {
  /** The final dot was read: from here on the client waits for us. */
  ended(): void;
  /** Called once, after `ended`, when the relay has settled. `resume` lets the commands that follow be read. */
  answered(replies: readonly Reply[], resume: () => void): void;
}

/** Reads one message after DATA and hands it to the relay. */
export function receiveMessage(parser: WireParser, transactions: Transactions, events: MessageEvents): void {
  let resume: (() => void) | undefined;
  let replies: readonly Reply[] | undefined;
  const settle = (): void => {
    if (resume && replies) events.answered(replies, resume);
  };
  const body = parser.receive((next) => {
    events.ended();
    resume = next;
    settle();
  });
  const finish = (result: readonly Reply[]): void => {
    replies = result;
    // Given up before its end: the rest is read and thrown away.
    if (!body.ended) body.discard();
    settle();
  };
  transactions.data(body).then(finish, (error: unknown) => finish([Failure.from(error).reply]));
}
