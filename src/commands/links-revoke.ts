import { loadConfig } from '../config/load-config.ts';
import { changeLink } from '../storage/admin/change-link.ts';
import { findLink, findLinks, type Found } from '../storage/admin/find.ts';
import type { AdminContext } from '../storage/admin/context.ts';
import { defineCommand, type CommandContext } from './command.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { filterOf, filterOptions, isEmpty } from './links-filter.ts';
import { linkJson, linkLine } from './links-format.ts';
import { noSuchLink, tokenIn } from './links-target.ts';
import { openAdmin } from './open-admin.ts';

const options = {
  ...filterOptions,
  'dry-run': { type: 'boolean', help: 'says what would be done' },
  json: { type: 'boolean', help: 'one object a line' },
} as const;

/** `detach-mta links revoke`: the link answers 410 until it is given back; the file stays for others. */
export const linksRevoke = command('revoke', 'Makes links answer 410');

/** `detach-mta links unrevoke` */
export const linksUnrevoke = command('unrevoke', 'Gives revoked links back');

function command(verb: 'revoke' | 'unrevoke', summary: string) {
  return defineCommand({
    name: `links ${verb}`,
    summary: `${summary}. Example: detach-mta links ${verb} https://files.example.com/TOKEN`,
    operands: '[URL|TOKEN]…',
    maxPositionals: 1000,
    options,
    run: async (context) => {
      const targets = chosen(context);
      const config = loadConfig(context.sources);
      const admin = openAdmin(config, context.signal);
      const dryRun = context.options['dry-run'] === true;
      for await (const found of targets(admin)) {
        const outcome = await changeLink(admin, found.token, { verb, dryRun });
        if (outcome === 'absent') throw noSuchLink();
        const done =
          dryRun && outcome === 'changed' ? `would ${verb}` : outcome === 'changed' ? `${verb}d` : 'unchanged';
        const after = (await findLink(admin, found.token)) ?? found;
        const { baseUrl } = config.links;
        const json = `${JSON.stringify({ done, ...linkJson(after, baseUrl) })}\n`;
        await context.print(context.options.json === true ? json : `${done}: ${linkLine(after, baseUrl)}`);
      }
      return ExitStatus.ok;
    },
  });
}

/** The links that the command line names. @throws CommandError 64 when it names none */
function chosen({ options: given, positionals }: CommandContext<typeof options>) {
  const tokens = positionals.map(tokenIn);
  const filter = filterOf(given);
  if (tokens.length === 0 && isEmpty(filter)) {
    throw new CommandError(ExitStatus.usage, 'which links: name a URL, a token or a filter');
  }
  if (tokens.length > 0 && !isEmpty(filter)) throw new CommandError(ExitStatus.usage, 'either links or a filter');
  return (admin: AdminContext): AsyncIterable<Found> =>
    tokens.length > 0 ? named(admin, tokens) : findLinks(admin, filter);
}

async function* named(admin: AdminContext, tokens: readonly string[]): AsyncGenerator<Found> {
  for (const token of tokens) {
    const found = await findLink(admin, token);
    if (!found) throw noSuchLink();
    yield found;
  }
}
