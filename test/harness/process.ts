import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { waitFor } from './wait.ts';

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and returns its standard output. @throws Error with standard error in it */
export function run(program: string, args: readonly string[], { input, env }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { maxBuffer: 1 << 28, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stderr}${stdout}`));
        else resolve(stdout);
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/**
 * Runs a program that leaves a daemon behind. Its output goes to a file: a pipe would be held open by the daemon for as
 * long as it lives. @throws Error with that output in it
 */
export async function runDaemon(program: string, args: readonly string[], output: string): Promise<void> {
  const fd = openSync(output, 'w');
  const child = spawn(program, args, { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${code}\n${readFileSync(output, 'utf8')}`);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** SIGTERM, and SIGKILL to whoever sits it out. A negative pid names a process group. */
export async function terminate(pid: number, { bound = 10_000 }: { readonly bound?: number } = {}): Promise<void> {
  signal(pid, 'SIGTERM');
  try {
    await waitFor(() => !isAlive(pid), { what: `the end of process ${pid}`, bound });
  } catch {
    signal(pid, 'SIGKILL');
    await waitFor(() => !isAlive(pid), { what: `the end of process ${pid} after SIGKILL` });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}
