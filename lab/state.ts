import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, terminate } from '../test/harness/process.ts';
import { commandLine, serversIn } from '../test/harness/servers-in.ts';
import { waitFor } from '../test/harness/wait.ts';
import { type LabPorts, takenPorts } from './places.ts';

/** What a running lab leaves in its home, for `npm run lab -- send` and `stop`. */
export interface LabState {
  readonly pid: number;
  readonly ports: LabPorts;
  /** The word that chose it. */
  readonly preset: string;
}

const fileOf = (home: string): string => join(home, 'lab.json');

/** @throws Error when another lab was started here at the same moment */
export function claim(home: string, state: LabState): void {
  try {
    writeFileSync(fileOf(home), JSON.stringify(state), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error('another lab is starting here at this moment', { cause: error });
  }
}

export function forgetState(home: string): void {
  rmSync(fileOf(home), { force: true });
}

/** The lab that runs there, or undefined. Ends servers that a killed lab left running. */
export async function runningLab(home: string): Promise<LabState | undefined> {
  const state = readState(home);
  // Without it there may be half a file, of a machine that failed.
  if (!state) {
    forgetState(home);
    return undefined;
  }
  if (isAlive(state.pid) && commandLine(state.pid).join(' ').includes('lab/main.ts')) return state;
  for (const server of serversIn(home)) await terminate(server, { signal: 'SIGKILL' });
  // A killed process with many threads holds its ports for a moment after its end.
  const free = async (): Promise<boolean> => (await takenPorts(state.ports)).length === 0;
  await waitFor(free, { what: 'the ports of a lab that was killed', bound: 5_000 }).catch(() => undefined);
  forgetState(home);
  return undefined;
}

function readState(home: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(home), 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}
