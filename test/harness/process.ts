import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { waitFor } from './wait.ts';

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** Who the program runs as, with no group but that one. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** Runs a program to its end and returns its standard output. @throws Error with standard error in it */
export function run(program: string, args: readonly string[], { input, env, user }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { maxBuffer: 1 << 28, env: { ...process.env, ...env }, ...user },
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
 * Runs a program that leaves a daemon behind. Its output goes to a file, because the daemon would hold a pipe open.
 * @throws Error with that output in it
 */
export async function runDaemon(program: string, args: readonly string[], output: string): Promise<void> {
  const fd = openSync(output, 'w');
  const child = spawn(program, args, { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${code}\n${readFileSync(output, 'utf8')}`);
}

/** Whether a process, or with a negative pid any of a process group, still runs. Zombies do not count. */
export function isAlive(pid: number): boolean {
  if (pid > 0) return stat(String(pid)) !== undefined;
  return readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && stat(entry)?.group === -pid);
}

/** proc(5): the fields after the name in parentheses are state, parent and group. */
function stat(pid: string): { readonly group: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return 'ZX'.includes(state) ? undefined : { group: Number(group) };
  } catch {
    return undefined;
  }
}

export interface TerminateOptions {
  readonly signal?: NodeJS.Signals;
  /** Milliseconds until SIGKILL. */
  readonly bound?: number;
}

/** Sends SIGTERM, and SIGKILL after `bound`. A negative pid names a process group. */
export async function terminate(
  pid: number,
  { signal = 'SIGTERM', bound = 10_000 }: TerminateOptions = {},
): Promise<void> {
  sendSignal(pid, signal);
  try {
    await waitFor(() => !isAlive(pid), { what: `the end of process ${pid}`, bound });
  } catch {
    sendSignal(pid, 'SIGKILL');
    await waitFor(() => !isAlive(pid), { what: `the end of process ${pid} after SIGKILL` });
  }
}

function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}
