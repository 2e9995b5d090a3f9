import { loadConfig } from '../config/load-config.ts';
import { findLink } from '../storage/admin/find.ts';
import { relatedTo } from '../storage/admin/related.ts';
import { defineCommand } from './command.ts';
import { endWith } from './damaged.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { jsonText } from './json.ts';
import { linkJson } from './links-format.ts';
import { onOneLine } from '../smtp/one-line.ts';
import { noSuchLink, tokenIn } from './links-target.ts';
import { openTolerantAdmin } from './open-admin.ts';

/** `detach-mta links show`: one link, the others of its message, and who else points to the file. */
export const linksShow = defineCommand({
  name: 'links show',
  summary: 'Shows a link, the others of its message, and who else points to its file',
  examples: ['links show https://files.example.com/TOKEN'],
  operands: 'URL|TOKEN',
  maxPositionals: 1,
  options: { json: { type: 'boolean', help: 'one object' } },
  run: async (context) => {
    const {
      options,
      positionals: [target],
      print,
    } = context;
    if (target === undefined) throw new CommandError(ExitStatus.usage, 'the URL or the token of a link is missing');
    const token = tokenIn(target);
    const config = loadConfig(context.sources);
    const admin = openTolerantAdmin(config, context);
    const found = await findLink(admin, token);
    if (!found) throw noSuchLink();
    const shown = {
      ...linkJson(found, config.links.baseUrl),
      page: found.link.page ?? null,
      ...(await relatedTo(admin, found)),
    };
    if (options.json === true) await print(jsonText(shown));
    else {
      for (const [name, value] of Object.entries(shown)) {
        await print(`${name}: ${onOneLine(Array.isArray(value) ? value.join(' ') : String(value))}\n`);
      }
    }
    return endWith(admin.damaged, config);
  },
});
