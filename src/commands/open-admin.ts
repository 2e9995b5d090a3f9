import { type Config } from '../config/config.ts';
import type { AdminContext } from '../storage/admin/context.ts';
import { openBlobs } from '../storage/store.ts';

/** Storage as the configuration names it, for an operator's command. */
export const openAdmin = (
  { storage, links }: Pick<Config, 'storage' | 'links'>,
  signal: AbortSignal,
): AdminContext => ({
  blobs: openBlobs({ storage }),
  secrets: links.secret,
  now: Date.now,
  signal,
  progress: () => undefined,
});
