import type { AdminContext } from '../storage/admin/context.ts';
import { findAllErasable, findErasable } from '../storage/admin/erase/journal.ts';
import { type Filter, findLink, findLinks, type Found } from '../storage/admin/find.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { isEmpty } from './links-filter.ts';
import { noSuchLink, tokenIn } from './links-target.ts';

/** How many links a command line may name. */
export const maxTargets = 1000;

export interface Chosen {
  readonly positionals: readonly string[];
  readonly filter: Filter;
  /** Also choose links that an `erase` has begun to delete. */
  readonly erasing?: boolean;
}

/**
 * The links that a command line names: by URL, token or filter.
 * @throws CommandError 64 when the command line names none. Reading the result throws 66, before the first link, when a
 * named link does not exist
 */
export function chosenLinks({
  positionals,
  filter,
  erasing = false,
}: Chosen): (admin: AdminContext) => AsyncIterable<Found> {
  const tokens = [...new Set(positionals.map(tokenIn))];
  if (tokens.length === 0 && isEmpty(filter)) {
    throw new CommandError(ExitStatus.usage, 'which links: name a URL, a token or a filter');
  }
  if (tokens.length > 0 && !isEmpty(filter)) throw new CommandError(ExitStatus.usage, bothGiven(filter));
  const [find, findAll] = erasing ? [findErasable, findAllErasable] : [findLink, findLinks];
  return (admin) => (tokens.length > 0 ? named(tokens, (token) => find(admin, token)) : findAll(admin, filter));
}

function bothGiven({ recipient }: Filter): string {
  const either = 'which links: either URLs and tokens, or filters, not both';
  return recipient === undefined ? either : `${either} (one message of a recipient: --recipient with --message-id)`;
}

type Find = (token: string) => Promise<Found | undefined>;

async function* named(tokens: readonly string[], find: Find): AsyncGenerator<Found> {
  const all: Found[] = [];
  for (const token of tokens) {
    const found = await find(token);
    if (!found) throw noSuchLink();
    all.push(found);
  }
  yield* all;
}

/** Said by a change whose filter met no link: a mistyped filter would look like success. */
export const nothingDone = (verb: string): string => `detach-mta links ${verb}: no link matches, nothing was done\n`;
