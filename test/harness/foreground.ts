import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { waitFor } from './wait.ts';

export interface ForegroundOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** On 127.0.0.1. The program is ready when it accepts connections there. */
  readonly port: number;
  /** What ends it. */
  readonly signal: 'SIGTERM' | 'SIGKILL';
}

/** A server that runs in the foreground as a child of this process, and ends with it. */
export class ForegroundProgram {
  readonly #child: ChildProcess;
  readonly #signal: ForegroundOptions['signal'];

  constructor(child: ChildProcess, signal: ForegroundOptions['signal']) {
    this.#child = child;
    this.#signal = signal;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(this.#signal);
    await exited;
  }
}

/** Starts it, and waits until it accepts connections. @throws Error with its standard error when it ends before */
export async function startForeground(
  program: string,
  { args, env = {}, port, signal }: ForegroundOptions,
): Promise<ForegroundProgram> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const killWithUs = (): void => void child.kill(signal);
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}:\n${errors}`);
      return accepts(port);
    },
    { what: program, detail: () => errors },
  );
  return new ForegroundProgram(child, signal);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
