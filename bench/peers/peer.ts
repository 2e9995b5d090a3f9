import { closeSync, openSync, readFileSync } from 'node:fs';
import { waitFor } from '../../test/harness/wait.ts';
import { Child } from '../load/child.ts';

/** Something that relays mail, started for one measurement. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  /** Roots of the process trees whose cost is counted. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** A program whose output goes to a file, as it would in a service. */
export class Program extends Child {
  readonly #log: string;

  constructor(command: readonly string[], { log }: { readonly log: string }) {
    const output = openSync(log, 'a');
    super(command, { stdio: ['ignore', output, output] });
    closeSync(output);
    this.#log = log;
  }

  get output(): string {
    return readFileSync(this.#log, 'utf8');
  }

  async waitForOutput(pattern: RegExp): Promise<void> {
    await waitFor(
      () => {
        if (this.ended) throw new Error(`it ended: ${this.output.slice(-2000)}`);
        return pattern.test(this.output);
      },
      { what: String(pattern), detail: () => this.output.slice(-2000) },
    );
  }
}
