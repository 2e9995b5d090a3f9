import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isAlive } from '../process.ts';
import { waitFor } from '../wait.ts';

const state = join(import.meta.dirname, '../../../.setup');

/**
 * A folder that takes long to make: made by the first process that wants it, while others wait.
 * @param name below `home`: that of this checkout, `.setup`, if not given
 * @param make fills an empty folder
 * @returns the folder; to be copied, not to be changed
 */
export async function madeOnce(
  name: string,
  make: (folder: string) => Promise<void>,
  { home = state } = {},
): Promise<string> {
  const made = join(home, name);
  mkdirSync(dirname(made), { recursive: true });
  const lock = `${made}.lock`;
  await waitFor(() => existsSync(made) || acquired(lock), { what: `another process to make ${made}`, bound: 900_000 });
  if (existsSync(made)) return made;
  deleteLeftovers(made);
  const work = mkdtempSync(`${made}-`);
  try {
    await make(work);
    renameSync(work, made);
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(lock, { force: true });
  }
  return made;
}

/** What a process that was killed has made of it. */
function deleteLeftovers(made: string): void {
  for (const entry of readdirSync(dirname(made)))
    if (entry.startsWith(`${basename(made)}-`)) rmSync(join(dirname(made), entry), { recursive: true, force: true });
}

function acquired(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    // An empty file: its owner writes the number next.
    const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
    return false;
  }
}
