import { loadConfig } from '../config/load-config.ts';
import { openBlobs } from '../storage/store.ts';
import { sweep as sweepStorage } from '../storage/sweep.ts';
import { defineCommand } from './command.ts';
import { ExitStatus } from './exit-status.ts';

/** `detach-mta sweep`: may run beside any number of relays, from cron on one of them. */
export const sweep = defineCommand({
  name: 'sweep',
  summary: 'Deletes files, manifests and links that have expired, and prints how many',
  options: {},
  run: async ({ sources, signal, print }) => {
    const { storage } = loadConfig(sources);
    const swept = await sweepStorage({ blobs: openBlobs({ storage }), signal, now: Date.now() });
    await print(
      `swept ${swept.files} files (${swept.bytes} bytes), ${swept.messages} manifests, ${swept.links} links\n`,
    );
    return ExitStatus.ok;
  },
});
