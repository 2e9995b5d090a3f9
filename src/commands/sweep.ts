import { loadConfig } from '../config/load-config.ts';
import { sweep as sweepStorage, type SweepResult } from '../storage/admin/sweep/sweep.ts';
import { defineCommand } from './command.ts';
import { endWith } from './damaged.ts';
import { jsonText } from './json.ts';
import { openAdmin } from './open-admin.ts';

/** `detach-mta sweep`: may run beside any number of relays, from cron on one of them. */
export const sweep = defineCommand({
  name: 'sweep',
  summary: 'Deletes files, manifests, links and index entries that have expired, and prints how many',
  examples: ['sweep', 'sweep --dry-run --json'],
  options: {
    'dry-run': { type: 'boolean', help: 'counts what would be deleted' },
    json: { type: 'boolean', help: 'one object' },
  },
  run: async (context) => {
    const { options, print } = context;
    const config = loadConfig(context.sources);
    const dryRun = options['dry-run'] === true;
    const result = await sweepStorage(openAdmin(config, context), { dryRun });
    const { swept, standing } = result;
    const damaged = result.damaged.count;
    await print(options.json === true ? jsonText({ dryRun, ...swept, standing, damaged }) : report(result, dryRun));
    return endWith(result.damaged, config);
  },
});

function report({ swept, standing }: SweepResult, dryRun: boolean): string {
  const { files, bytes, messages, links, pages, transactions, entries } = swept;
  const did = dryRun ? 'would sweep' : 'swept';
  const lines = [
    `${did} ${files} files (${bytes} bytes), ${messages} manifests, ${links} links, ${pages} pages, ` +
      `${transactions} records of recipients, ${entries} index entries`,
    ...(swept.held > 0 ? [`kept for holds: ${swept.held}`] : []),
    ...(swept.erased > 0 ? [`erasures ${dryRun ? 'that would be completed' : 'completed'}: ${swept.erased}`] : []),
    ...(swept.indexed > 0 ? [`${dryRun ? 'would be brought' : 'brought'} into the index: ${swept.indexed}`] : []),
    ...(swept.leftovers > 0 ? [`left by crashes: ${swept.leftovers}`] : []),
    `there are ${standing.living} living, ${standing.expired} expired and ${standing.revoked} revoked links ` +
      `(${standing.held} held), ${standing.files} files (${standing.bytesStored} bytes)`,
  ];
  return `${lines.join('\n')}\n`;
}
