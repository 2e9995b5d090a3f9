import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { draftsFolder, kindFolders } from './layout.ts';
import { makeFolder } from './sync-folder.ts';

/** @throws Error when the directory is not there, not ours, or open to others */
async function checkDirectory(root: string): Promise<void> {
  const { uid, mode } = await stat(root);
  const us = process.getuid?.();
  if (us !== undefined && uid !== us) throw new Error(`storage.directory belongs to user ${uid}, this is user ${us}`);
  if ((mode & 0o077) !== 0) throw new Error('storage.directory is open to other users: chmod 700');
}

/** @throws as `checkDirectory`, and where nothing can be written: the disk is read-only now, or was unmounted */
export async function checkWritable(root: string): Promise<void> {
  await checkDirectory(root);
  await access(join(root, draftsFolder), constants.W_OK | constants.X_OK);
}

/** Creates the folders of all kinds. @throws as `checkDirectory` */
export async function prepareDirectory(root: string): Promise<void> {
  await checkDirectory(root);
  const folders = new Set([draftsFolder, ...kindFolders.flatMap((kind) => [dirname(kind), kind])]);
  folders.delete('.');
  for (const folder of folders) await makeFolder(join(root, folder));
}
