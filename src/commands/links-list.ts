import { loadConfig } from '../config/load-config.ts';
import { findLinks } from '../storage/admin/find.ts';
import { defineCommand } from './command.ts';
import { endWith } from './damaged.ts';
import { jsonText } from './json.ts';
import { filterOf, filterOptions } from './links-filter.ts';
import { linkJson, linkLine } from './links-format.ts';
import { openTolerantAdmin } from './open-admin.ts';

/** `detach-mta links list`: prints each link as soon as it is found. */
export const linksList = defineCommand({
  name: 'links list',
  summary: 'Finds links by sender, message, file, recipient, date or state; without a filter, lists all',
  examples: ['links list --message-id 1@example.com', 'links list --sender anna@example.com --state living --json'],
  options: { ...filterOptions, json: { type: 'boolean', help: 'one object a line' } },
  run: async (context) => {
    const { options, print } = context;
    const filter = filterOf(options);
    const config = loadConfig(context.sources);
    const { baseUrl } = config.links;
    const admin = openTolerantAdmin(config, context);
    for await (const found of findLinks(admin, filter)) {
      const json = options.json === true;
      await print(json ? jsonText(linkJson(found, baseUrl)) : linkLine(found, { baseUrl }));
    }
    return endWith(admin.damaged, config);
  },
});
