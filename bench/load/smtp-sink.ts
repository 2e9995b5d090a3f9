import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/harness/ports.ts';
import { privateDirectory, removeDirectory } from '../../test/harness/private-directory.ts';
import { waitFor } from '../../test/harness/wait.ts';
import { Child } from './child.ts';
import { waitForPort } from './wait-for-port.ts';

/** Postfix's `smtp-sink`: takes mail, counts it and throws it away. */
export class SmtpSink {
  readonly port: number;
  readonly #child: Child;
  readonly #directory: string;
  readonly #counter: number;

  constructor(port: number) {
    this.port = port;
    this.#directory = privateDirectory('sink');
    // It rewrites one line with its counts at each message. Reading this line from a file costs nothing.
    this.#counter = openSync(join(this.#directory, 'counts'), 'w+');
    this.#child = new Child(['smtp-sink', '-u', 'postfix', '-c', '-m', '1000', `127.0.0.1:${port}`, '1000'], {
      stdio: ['ignore', this.#counter, 'inherit'],
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Messages taken so far. */
  get messages(): number {
    const { size } = fstatSync(this.#counter);
    const tail = Buffer.alloc(Math.min(size, 128));
    readSync(this.#counter, tail, 0, tail.length, size - tail.length);
    const counts = [...tail.toString('latin1').matchAll(/mesg=(\d+)\s/g)];
    return Number(counts.at(-1)?.[1] ?? 0);
  }

  async waitForMessages(count: number): Promise<void> {
    await waitFor(() => this.messages >= count, {
      what: `message ${count} at the sink`,
      bound: 600_000,
      detail: () => `there are ${this.messages}`,
    });
  }

  async stop(): Promise<void> {
    await this.#child.stop();
    closeSync(this.#counter);
    removeDirectory(this.#directory);
  }
}

export async function startSmtpSink(): Promise<SmtpSink> {
  const sink = new SmtpSink(await freePort());
  await waitForPort(sink.port);
  return sink;
}
