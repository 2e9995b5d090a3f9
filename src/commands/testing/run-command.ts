import { Readable, Writable } from 'node:stream';
import type { CommandIo } from '../command.ts';
import { runCommandLine } from '../run-command-line.ts';

export interface CommandResult {
  readonly status: number;
  readonly output: Buffer;
  /** The same as text. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: Readable | Buffer;
  readonly signal?: AbortSignal;
}

/** Runs a command line in this process, as `main.ts` does, and collects what it writes. */
export async function runCommand(words: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const { env = {}, input = Buffer.alloc(0), signal = new AbortController().signal } = options;
  const output = new Sink();
  const errors = new Sink();
  const status = await runCommandLine(words, {
    input: Buffer.isBuffer(input) ? Readable.from([input], { objectMode: false }) : input,
    output,
    errors,
    env,
    interruption: () => signal,
  } satisfies CommandIo);
  const written = output.content();
  return { status, output: written, stdout: written.toString(), stderr: errors.content().toString() };
}

class Sink extends Writable {
  readonly #written: Buffer[] = [];

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#written.push(chunk);
    done();
  }

  content(): Buffer {
    return Buffer.concat(this.#written);
  }
}
