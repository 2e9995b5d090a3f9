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

/** Creates a folder for us alone, durably, when it is missing; its parent is there. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    throw error;
  }
  // The umask may have taken more away than it should.
  await chmod(path, 0o700);
  await syncFolder(dirname(path));
}
