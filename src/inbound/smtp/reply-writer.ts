import { atEndOfTurn } from '../../runtime/end-of-turn.ts';
import { formatReply, type Reply } from '../../smtp/reply.ts';

/**
 * Writes replies in the order in which they are given. Those of one turn of the event loop leave in one write: the
 * replies to MAIL, to the RCPTs and to DATA of a client that pipelines (RFC 2920 section 3.2).
 */
export class ReplyWriter {
  readonly #write: (text: string) => void;
  #unsent = '';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  say(reply: Reply): void {
    if (this.#unsent === '') atEndOfTurn(this.flush);
    this.#unsent += formatReply(reply);
  }

  readonly flush = (): void => {
    const text = this.#unsent;
    this.#unsent = '';
    if (text !== '') this.#write(text);
  };
}
