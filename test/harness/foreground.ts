import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { waitFor } from './wait.ts';
import { endOf } from './endings.ts';

export interface ForegroundOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** On 127.0.0.1. The program is ready when it accepts connections there. */
  readonly port: number;
  /** What ends it. */
  readonly signal: 'SIGTERM' | 'SIGKILL';
  /** Who it runs as, with no group but that one. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Where its output goes; nowhere if not given. */
  readonly log?: string;
  /** It starts processes that do not end with it: they get the signal too. */
  readonly forks?: boolean;
}

/** A server that runs in the foreground as a child of this process, and ends with it. */
export class ForegroundProgram {
  readonly #child: ChildProcess;
  readonly #options: ForegroundOptions;

  constructor(child: ChildProcess, options: ForegroundOptions) {
    this.#child = child;
    this.#options = options;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    signalTo(this.#child, this.#options);
    await exited;
  }
}

/** Starts it, and waits until it accepts connections. @throws Error with its standard error when it ends before */
export async function startForeground(program: string, options: ForegroundOptions): Promise<ForegroundProgram> {
  const { args, env = {}, port, user, log, forks = false } = options;
  const output = log === undefined ? undefined : openSync(log, 'a');
  const child = spawn(program, args, {
    stdio: ['ignore', output ?? 'ignore', output ?? 'pipe'],
    env: { ...process.env, ...env },
    detached: forks,
    ...user,
  });
  if (output !== undefined) closeSync(output);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const said = (): string => (log === undefined ? errors : readFileSync(log, 'utf8').slice(-4000));
  const killWithUs = (): void => signalTo(child, options);
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  await waitFor(
    () => {
      if (endOf(child) !== null) throw new Error(`${program} ended with ${endOf(child)}:\n${said()}`);
      return accepts(port);
    },
    { what: program, detail: said },
  );
  return new ForegroundProgram(child, options);
}

function signalTo(child: ChildProcess, { signal, forks = false }: ForegroundOptions): void {
  if (forks && child.pid !== undefined) process.kill(-child.pid, signal);
  else child.kill(signal);
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
