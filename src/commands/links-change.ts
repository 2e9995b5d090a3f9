/** `detach-mta links revoke|unrevoke|extend|hold|release`: each says what it did, link by link. */
import { loadConfig } from '../config/load-config.ts';
import { duration } from '../config/units.ts';
import { FormatError } from '../config/format.ts';
import { completeIndex } from '../storage/admin/before-index.ts';
import { type Change, type Changed, changeLink, keeps, type Outcome } from '../storage/admin/change-link.ts';
import { unlessDamaged } from '../storage/admin/context.ts';
import { findLink, type Found } from '../storage/admin/find.ts';
import type { Gone } from '../storage/admin/gone.ts';
import {
  type Command,
  type CommandContext,
  type CommandDefinition,
  defineCommand,
  type OptionValues,
} from './command.ts';
import { parseLastMoment } from './dates.ts';
import { endWith } from './damaged.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { jsonText } from './json.ts';
import { chosenLinks, maxTargets, nothingDone } from './links-chosen.ts';
import { filterOf, filterOptions, filterOptionsWithoutUntil } from './links-filter.ts';
import { linkJson, linkLine } from './links-format.ts';
import { openTolerantAdmin } from './open-admin.ts';

const common = {
  'dry-run': { type: 'boolean', help: 'says what would be done' },
  json: { type: 'boolean', help: 'one object a line' },
} as const;
const options = { ...filterOptions, ...common } as const;

const done = {
  revoke: 'revoked',
  unrevoke: 'unrevoked',
  hold: 'held',
  release: 'released',
  extend: 'extended',
} as const satisfies Record<Change['verb'], string>;

/** The link answers 410 until `unrevoke`; the file stays for other links. */
export const linksRevoke = plainChange('revoke', {
  summary: 'Takes links back: they answer 410 from then on',
  examples: ['links revoke https://files.example.com/TOKEN', 'links revoke --sender anna@example.com --file plan.pdf'],
});
export const linksUnrevoke = plainChange('unrevoke', {
  summary: 'Gives revoked links back',
  examples: ['links unrevoke TOKEN'],
});
export const linksHold = plainChange('hold', {
  summary: 'Keeps links and their files beyond their end, and from sweep and erase, until release',
  examples: ['links hold --message-id 1@example.com'],
});
export const linksRelease = plainChange('release', {
  summary: 'Ends a hold: the links expire again as they did before',
  examples: ['links release TOKEN'],
});

export const linksExtend = defineCommand({
  name: 'links extend',
  summary: 'Gives links a later end',
  examples: [
    'links extend --by 30d https://files.example.com/TOKEN',
    'links extend --until 2027-12-31 --sender a@example.com',
  ],
  operands: '[URL|TOKEN]…',
  maxPositionals: maxTargets,
  options: {
    until: { type: 'string', value: 'DATE', help: 'the new end; this or --by is required' },
    by: {
      type: 'string',
      value: 'DURATION',
      help: 'how much later than the old end, or than now if that is later: 30d, 12h',
    },
    ...filterOptionsWithoutUntil,
    ...common,
  },
  run: (context) => {
    const { until, by, ...filter } = context.options;
    return run({ ...context, options: filter }, () => ({ verb: 'extend', to: newEnd(until, by) }));
  },
});

function plainChange(
  verb: Exclude<Change['verb'], 'extend'>,
  help: Pick<CommandDefinition, 'summary' | 'examples'>,
): Command {
  return defineCommand({
    name: `links ${verb}`,
    ...help,
    operands: '[URL|TOKEN]…',
    maxPositionals: maxTargets,
    options,
    run: (context) => run(context, () => ({ verb })),
  });
}

/** @throws CommandError 64 for a time that is not in the future */
function newEnd(until: string | undefined, by: string | undefined): { until: number } | { by: number } {
  if ((until === undefined) === (by === undefined)) {
    throw new CommandError(ExitStatus.usage, 'how long: either --until DATE or --by DURATION');
  }
  if (by !== undefined) return { by: parseDuration(by) };
  const end = parseLastMoment('until', until!);
  if (end > Date.now()) return { until: end };
  throw new CommandError(ExitStatus.usage, '--until must be a date to come');
}

const longest = 100 * 365 * 86_400_000;

function parseDuration(text: string): number {
  try {
    return duration('days', { min: 1, max: longest }).parse(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new CommandError(ExitStatus.usage, `--by ${error.message}`);
  }
}

type Given = Omit<CommandContext, 'options'> & { readonly options: Partial<OptionValues<typeof options>> };

async function run(context: Given, changeOf: () => Change): Promise<number> {
  const { positionals, print } = context;
  const dryRun = context.options['dry-run'] === true;
  const links = chosenLinks({ positionals, filter: filterOf(context.options) });
  const change = changeOf();
  const config = loadConfig(context.sources);
  const admin = openTolerantAdmin(config, context);
  let status: number = ExitStatus.ok;
  let count = 0;
  if (!dryRun && keeps(change)) await completeIndex(admin);
  for await (const found of links(admin)) {
    count += 1;
    const changed = await unlessDamaged(admin, () => changeLink(admin, found.token, { ...change, dryRun }));
    // Another process has erased the link since it was found.
    if (!changed || changed.outcome === 'absent') continue;
    const { outcome, gone } = changed;
    if (outcome === 'missing') status = ExitStatus.found;
    const after = dryRun ? asItWouldBe(found, changed) : ((await findLink(admin, found.token)) ?? found);
    const said = describe(outcome, { verb: change.verb, dryRun });
    const { baseUrl } = config.links;
    const json = jsonText({ done: said, ...linkJson(after, baseUrl), ...(gone && { gone }) });
    await print(
      context.options.json === true ? json : `${said}: ${linkLine(after, { baseUrl, note: goneNote(gone) })}`,
    );
  }
  if (count === 0) context.errors.write(nothingDone(change.verb));
  endWith(admin.damaged, config);
  return status;
}

/** With the end that the link would have; its state is the present one. */
const asItWouldBe = (found: Found, { link = found.link }: Changed): Found => ({
  ...found,
  link: { ...found.link, expires: link.expires },
});

/** The file is spoken of before the link. */
function goneNote(gone: readonly Gone[] = []): string {
  const notes = [
    ...(gone.includes('page') ? ['the page of the message is gone'] : []),
    ...(gone.includes('message') ? ['the message can no longer be restored'] : []),
  ];
  return notes.length === 0 ? '' : `  (${notes.join(', ')})`;
}

function describe(
  outcome: Exclude<Outcome, 'absent'>,
  { verb, dryRun }: Pick<Change, 'verb'> & { readonly dryRun: boolean },
): string {
  switch (outcome) {
    case 'changed':
      return dryRun ? `would ${verb}` : done[verb];
    case 'unchanged':
      return 'unchanged';
    case 'missing':
      return verb === 'extend' ? 'unchanged, the file is missing' : `${done[verb]}, the file is missing`;
    default:
      return outcome satisfies never;
  }
}
