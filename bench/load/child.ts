import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { terminate } from '../../test/harness/process.ts';

export interface ChildOptions {
  readonly stdio?: StdioOptions;
}

/** A child process that ends with this one. */
export class Child {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #killWithUs = (): void => void this.#child.kill('SIGKILL');

  constructor(command: readonly string[], { stdio = ['ignore', 'inherit', 'inherit'] }: ChildOptions = {}) {
    const [file = '', ...args] = command;
    this.#child = spawn(file, args, { stdio });
    if (this.#child.pid === undefined) throw new Error(`${file} did not start`);
    this.pid = this.#child.pid;
    process.once('exit', this.#killWithUs);
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async stop(): Promise<void> {
    process.off('exit', this.#killWithUs);
    if (!this.ended) await terminate(this.pid);
  }
}
