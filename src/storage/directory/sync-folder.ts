import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from '../../smtp/failures.ts';

/** Makes durable what was created in or removed from a folder. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates a folder for us only if it is missing; its parent must exist. Afterwards the folder is durable, also if
 * another process made it.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700);
    // The umask may have removed rights that we need.
    await chmod(path, 0o700);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  await syncFolder(dirname(path));
  durable.add(path);
}

/**
 * Folders that this process has flushed to disk. Another process may have made a folder and not flushed it yet: a power
 * cut would remove it with the files in it.
 */
const durable = new Set<string>();

/**
 * As `makeFolder`, which is called once for each folder and process. The parent may be missing too: an older version
 * has prepared the directory.
 */
export async function requireFolder(path: string): Promise<void> {
  if (durable.has(path)) return;
  try {
    await makeFolder(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
}
