import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { type AdminContext, directoryParallel } from '../storage/admin/context.ts';
import { DamagedRecords } from '../storage/damaged-record.ts';
import { draftsFolder } from '../storage/directory/layout.ts';
import { openBlobs } from '../storage/store.ts';
import { becomeOwner } from './become-owner.ts';
import type { CommandContext } from './command.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { showProgress } from './progress.ts';

/** Opens the configured storage for an operator's command. A process of root becomes the user who owns it. */
export function openAdmin(
  config: Pick<Config, 'storage' | 'links'>,
  { signal, errors, sources }: Pick<CommandContext, 'signal' | 'errors' | 'sources'>,
): AdminContext {
  const { storage, links } = config;
  becomeOwner(config, sources);
  refuseUnused(storage);
  return {
    blobs: openBlobs({ storage, blocking: true }),
    secrets: links.secret,
    now: Date.now,
    signal,
    progress: showProgress(errors),
    ...(storage.directory !== undefined && { parallel: directoryParallel }),
  };
}

/** @throws CommandError when the directory has nothing of ours: every question would get an error that says less */
export function refuseUnused({ directory }: Config['storage']): void {
  if (directory === undefined) return;
  if (statSync(join(directory, draftsFolder), { throwIfNoEntry: false }) !== undefined) return;
  const reason = 'is its disk mounted? A new one is set up when `serve` starts for the first time';
  throw new CommandError(
    ExitStatus.unavailable,
    `storage.directory: there is no storage of ours in ${directory}: ${reason}`,
  );
}

/** The same for a command that goes on beside records which cannot be read, and names them when it ends. */
export const openTolerantAdmin = (...how: Parameters<typeof openAdmin>) => ({
  ...openAdmin(...how),
  damaged: new DamagedRecords(),
});
