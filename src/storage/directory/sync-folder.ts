import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './fs-errors.ts';

/** Makes durable what was created in or removed from a folder. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a folder for us alone when it is missing; its parent is there. Afterwards it is durable, whoever made it. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700);
    // The umask may have taken more away than it should.
    await chmod(path, 0o700);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  await syncFolder(dirname(path));
  durable.add(path);
}

/**
 * Folders that this process knows to be on disk. Of any other one it cannot be told whether the process that made it
 * has flushed it already, and files in a folder that a power cut takes away are gone with it.
 */
const durable = new Set<string>();

/** As `makeFolder`, which is called once for each folder and process. */
export async function requireFolder(path: string): Promise<void> {
  if (!durable.has(path)) await makeFolder(path);
}
