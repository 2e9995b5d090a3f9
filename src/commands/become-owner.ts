import { statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { ConfigSources } from '../config/load-config.ts';

/**
 * Started as root, a command goes on as the user whose files it works with: the owner of the directory, or of the
 * configuration file, or where that is root, of the spool. What it writes then belongs to the service, and it sees the rights that the service has. Secrets
 * have been read before, as root.
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
    // Storage says by itself what is wrong with the directory.
    return undefined;
  }
}

/** Those of the user, or where the system knows no such user, the one of the file. */
function takeGroups({ uid, gid }: Owner): void {
  try {
    // Not among the types of Node.
    (process as { readonly initgroups?: (user: number, group: number) => void }).initgroups?.(uid, gid);
  } catch {
    process.setgroups?.([gid]);
  }
}
