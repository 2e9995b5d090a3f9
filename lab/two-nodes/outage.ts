import type { LabView } from '../chain.ts';
import { collect, post } from '../deliver.ts';
import { makeSample } from '../sample.ts';
import { waitFor } from '../../test/harness/wait.ts';
import { showChecks } from '../show.ts';
import { row } from '../terminal.ts';

/** A letter sent while the cable is out. */
export class Outage {
  readonly #view: LabView;
  readonly #sample = makeSample();

  constructor(view: LabView) {
    this.#view = view;
  }

  /** Waits until no session with Postfix B is open. */
  async waitUntilIdle(): Promise<boolean> {
    const { detach } = this.#view;
    const none = /^\w*next_hop_sessions(\{[^}]*\})? 0$/m;
    await waitFor(async () => none.test((await detach.metrics()).text), {
      what: 'the end of the sessions with Postfix B',
    });
    return true;
  }

  /** Sends the letter, and waits until Postfix A has deferred it. */
  async send(): Promise<boolean> {
    const { a, ports } = this.#view;
    await post(this.#sample, ports.postfixA);
    await a.waitForQueue(
      (queue) => queue.length === 1 && queue[0]?.queue_name === 'deferred',
      'one message, waiting for the cable',
    );
    const [waiting] = await a.queue();
    row('in the queue of Postfix A', `${waiting?.queue_id ?? ''}, for ${waiting?.recipients.length ?? 0} recipients`);
    row('  because', waiting?.recipients[0]?.delay_reason ?? '');
    return true;
  }

  /** When the cable is back: tries again, and checks the mailboxes. */
  async over(): Promise<boolean> {
    const { a } = this.#view;
    await a.flush();
    const copies = await collect(this.#sample, this.#view);
    await a.waitForEmptyQueue();
    return showChecks([
      { what: `${this.#sample.to.length} recipients have the message`, ok: copies.length === this.#sample.to.length },
      { what: 'the queue of Postfix A is empty', ok: true },
    ]);
  }
}
