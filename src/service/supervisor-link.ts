import type { Question, ToProcess, ToSupervisor } from './messages.ts';
import { Requests } from './requests.ts';
import { SharedLimits } from './shared-limits.ts';

/** @param handle the socket that came with the message, if any */
type Handler<K extends ToProcess['kind']> = (
  message: Extract<ToProcess, { readonly kind: K }>,
  handle: unknown,
) => void;

type Handlers = { [K in ToProcess['kind']]?: Handler<K> };

/** The supervisor, as a process sees it. */
export class SupervisorLink {
  /** Limits that hold for the service as a whole. */
  readonly limits = new SharedLimits((message) => this.send(message));
  readonly #handlers: Handlers = {};
  readonly #asked = new Requests<boolean>();

  constructor() {
    this.on('leased', (message) => this.limits.leased(message));
    this.on('recall', (message) => this.limits.recall(message));
    this.on('answer', ({ id, answer }) => this.#asked.answer(id, answer));
    process.on('message', (message: ToProcess, handle: unknown) => {
      (this.#handlers[message.kind] as ((message: ToProcess, handle: unknown) => void) | undefined)?.(message, handle);
    });
  }

  on<K extends ToProcess['kind']>(kind: K, handler: Handler<K>): void {
    Object.assign(this.#handlers, { [kind]: handler });
  }

  send(message: ToSupervisor): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  }

  /** As `send`; resolves when the message has left. */
  flush(message: ToSupervisor): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
      else resolve();
    });
  }

  /** Asks all other mail processes of the service. @returns true when one of them says so within half a second */
  async ask(question: Question): Promise<boolean> {
    return (await this.#asked.ask((id) => this.send({ kind: 'ask', id, question }))) ?? false;
  }

  /** How this process answers what others ask. */
  onQuestion(answer: (question: Question) => boolean): void {
    this.on('question', ({ id, question }) => this.send({ kind: 'answer', id, answer: answer(question) }));
  }
}
