import { loadConfig } from '../config/load-config.ts';
import { type EraseReport, eraseLinks, planErase } from '../storage/admin/erase/erase-links.ts';
import { eraseRecipient, type RecipientReport } from '../storage/admin/erase/erase-recipient.ts';
import { completeIndex } from '../storage/admin/before-index.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { jsonText } from './json.ts';
import { chosenLinks, maxTargets, nothingDone } from './links-chosen.ts';
import { filterOf, filterOptions } from './links-filter.ts';
import { linkUrl } from '../links/interface.ts';
import { onOneLine } from '../smtp/one-line.ts';
import { openAdmin } from './open-admin.ts';

const options = {
  ...filterOptions,
  recipient: { type: 'string', value: 'ADDRESS', help: 'removes what names them; files that others have stay' },
  'dry-run': { type: 'boolean', help: 'says what would be done' },
  json: { type: 'boolean', help: 'one object a line' },
} as const;

/** `detach-mta links erase`: nothing of the message stays, and its links answer 404. */
export const linksErase = defineCommand({
  name: 'links erase',
  summary: 'Deletes links, what restores their messages, and files that no other link points to',
  examples: [
    'links erase --dry-run --message-id 1@example.com',
    'links erase https://files.example.com/TOKEN',
    'links erase --recipient bob@example.org',
  ],
  operands: '[URL|TOKEN]…',
  maxPositionals: maxTargets,
  options,
  run: async (context) => {
    const { positionals } = context;
    const filter = filterOf(context.options);
    const links = chosenLinks({ positionals, filter, erasing: true });
    const config = loadConfig(context.sources);
    const admin = openAdmin(config, context);
    const dryRun = context.options['dry-run'] === true;
    if (!dryRun) await completeIndex(admin);
    const plan = await planErase(admin, links(admin));
    const say = speaker(context, config.links.baseUrl);
    if (plan.held > 0) throw held(plan.held);
    const { recipient } = filter;
    const results =
      recipient === undefined
        ? eraseLinks(admin, { plan, dryRun })
        : eraseRecipient(admin, { plan, recipient, dryRun });
    let count = 0;
    for await (const result of results) {
      count += 1;
      if (result === 'held') throw new CommandError(ExitStatus.found, 'a link was held meanwhile: its message stays');
      await say(result);
    }
    if (count === 0) context.errors.write(nothingDone('erase'));
    return ExitStatus.ok;
  },
});

type Context = CommandContext<typeof options>;
type Said = EraseReport | RecipientReport;

const held = (count: number): CommandError =>
  new CommandError(
    ExitStatus.found,
    `nothing was erased: links of ${count} of these messages are held (links release ends that)`,
  );

function speaker({ options: { json }, print }: Context, baseUrl: string) {
  return ({ done, token, ...rest }: Said): Promise<void> => {
    const said = { done, token, url: linkUrl(baseUrl, token), ...rest };
    if (json === true) return print(jsonText(said));
    const details = Object.entries(said).filter(([name]) => !['done', 'token', 'url'].includes(name));
    return print(
      onOneLine(`${done}: ${said.url}  ${details.map(([name, value]) => `${name} ${String(value)}`).join(', ')}`) +
        '\n',
    );
  };
}
