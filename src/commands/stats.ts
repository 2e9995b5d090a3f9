import { loadConfig } from '../config/load-config.ts';
import { readStats, type Stats } from '../storage/admin/stats/stats.ts';
import { defineCommand } from './command.ts';
import { endWith } from './damaged.ts';
import { jsonText } from './json.ts';
import { openTolerantAdmin } from './open-admin.ts';

/** `detach-mta stats`: counts what is in storage, so its figures do not depend on restarts. */
export const stats = defineCommand({
  name: 'stats',
  summary: 'Counts links, files and messages, and what mailboxes do not have to hold',
  examples: ['stats', 'stats --json'],
  options: { json: { type: 'boolean', help: 'one object' } },
  run: async (context) => {
    const config = loadConfig(context.sources);
    const admin = openTolerantAdmin(config, context);
    const found = await readStats(admin);
    const json = context.options.json === true;
    await context.print(json ? jsonText({ ...found, damaged: admin.damaged.count }) : report(found));
    return endWith(admin.damaged, config);
  },
});

function report({ links, files, messages, bytesStored, saved, states, largest, mostLinked }: Stats): string {
  const rows: readonly (readonly [string, string])[] = [
    [
      'links',
      `${count(links)} (${states.living} living, ${states.expired} expired, ${states.revoked} revoked; ${states.held} held)`,
    ],
    ['files', count(files)],
    ['messages', count(messages)],
    ['stored', bytes(bytesStored)],
    ['saved', bytes(saved)],
    ...largest.map(({ sha256, size }) => ['large', `${bytes(size)}  ${sha256}`] as const),
    ...mostLinked.map((file) => ['linked', `${count(file.links)} links  ${file.sha256}`] as const),
  ];
  return rows.map(([name, value]) => `${name.padEnd(10)}${value}\n`).join('');
}

const count = (value: number): string => value.toLocaleString('en');
const bytes = (value: number): string => `${count(value)} bytes`;
