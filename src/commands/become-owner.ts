import { statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { ConfigSources } from '../config/load-config.ts';

/**
 * A command that was started as root changes to the user whose files it works with: the owner of the directory or of
 * the configuration file, or where that is root, of the spool. What it writes then belongs to the service, and it has
 * the service's rights. Secrets are read before, as root.
 */
export function becomeOwner(
  { storage, spool }: Pick<Config, 'storage'> & Partial<Pick<Config, 'spool'>>,
  { file }: ConfigSources,
): void {
  if (process.getuid?.() !== 0) return;
  const owner = [storage.directory ?? file, spool?.directory].map(ownerOf).find((each) => each && each.uid !== 0);
  if (!owner) return;
  takeGroups(owner);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function ownerOf(path: string | undefined): Owner | undefined {
  try {
    return path === undefined ? undefined : statSync(path);
  } catch {
    // Opening the storage reports what is wrong with the directory.
    return undefined;
  }
}

/** Takes the groups of the user or, if the system does not know this user, the group of the file. */
function takeGroups({ uid, gid }: Owner): void {
  try {
    // Missing in the types of Node.
    (process as { readonly initgroups?: (user: number, group: number) => void }).initgroups?.(uid, gid);
  } catch {
    process.setgroups?.([gid]);
  }
}
