import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, terminate } from '../test/harness/process.ts';
import { waitFor } from '../test/harness/wait.ts';
import { type LabPorts, takenPorts } from './places.ts';

/** What a running lab leaves in its home, for `npm run lab -- send` and `stop`. */
export interface LabState {
  readonly pid: number;
  readonly ports: LabPorts;
  /** Of the servers; negative ones name process groups. */
  readonly servers: readonly number[];
}

export function writeState(home: string, state: LabState): void {
  writeFileSync(join(home, 'lab.json'), JSON.stringify(state));
}

export function forgetState(home: string): void {
  rmSync(join(home, 'lab.json'), { force: true });
}

/** The lab that runs there, or undefined. Ends servers that a killed lab left running. */
export async function runningLab(home: string): Promise<LabState | undefined> {
  const state = readState(home);
  if (!state) return undefined;
  if (isAlive(state.pid) && belongs(state.pid, 'lab/main.ts')) return state;
  for (const server of state.servers) {
    if (belongs(Math.abs(server), home)) await terminate(server, { signal: 'SIGKILL' });
  }
  // A killed process with many threads holds its ports for a moment after its end.
  const free = async (): Promise<boolean> => (await takenPorts(state.ports)).length === 0;
  await waitFor(free, { what: 'the ports of a lab that was killed', bound: 5_000 }).catch(() => undefined);
  forgetState(home);
  return undefined;
}

function readState(home: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(join(home, 'lab.json'), 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}

/** Process numbers are reused, so a process belongs to the lab only if its command line names the lab. */
function belongs(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
  } catch {
    return false;
  }
}
