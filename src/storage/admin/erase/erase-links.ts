import type { AdminContext } from '../context.ts';
import type { Found } from '../find.ts';
import { isMessageHeld } from '../message-blobs.ts';
import { isFileNeeded } from '../needed-file.ts';
import { type ErasedLink, eraseMessage } from './erase-message.ts';

/** What is to be erased, message by message: names only, as there may be many. */
export interface ErasePlan {
  /** Tokens by message. */
  readonly messages: ReadonlyMap<string, readonly PlannedLink[]>;
  /** How many messages have a held link. Such a message is not erased: a hold keeps what the whole message needs. */
  readonly held: number;
}

export interface PlannedLink {
  readonly token: string;
  readonly sha256: string;
}

/** Reads all links before the first one is changed. */
export async function planErase(context: AdminContext, links: AsyncIterable<Found>): Promise<ErasePlan> {
  const messages = new Map<string, PlannedLink[]>();
  const held = new Set<string>();
  for await (const { token, link } of links) {
    const key = JSON.stringify([link.messageIdentity, link.reversePath]);
    const planned = { token, sha256: link.sha256 };
    const known = messages.get(key);
    if (known) known.push(planned);
    else messages.set(key, [planned]);
    if (link.held !== undefined || (!known && (await isMessageHeld(context, link)))) held.add(key);
  }
  return { messages, held: held.size };
}

export interface EraseReport extends Omit<ErasedLink, 'file'> {
  readonly done: 'erased' | 'would erase';
  /** What happened to the file; `kept` when others have it too. */
  readonly file: ErasedLink['file'] | 'would be deleted';
}

export interface EraseOptions {
  readonly plan: ErasePlan;
  readonly dryRun: boolean;
}

/** @yields each link that was erased; 'held' where a link of a message was held after the plan was made */
export async function* eraseLinks(
  context: AdminContext,
  { plan, dryRun }: EraseOptions,
): AsyncGenerator<EraseReport | 'held'> {
  const except = new Set([...plan.messages.values()].flat().map(({ token }) => token));
  for (const links of plan.messages.values()) {
    if (dryRun) yield* wouldErase(context, links, except);
    else yield* eraseOne(context, links);
  }
}

async function* eraseOne(context: AdminContext, links: readonly PlannedLink[]): AsyncGenerator<EraseReport | 'held'> {
  const erased = await eraseMessage(
    context,
    links.map(({ token }) => token),
  );
  if (erased === 'held') yield 'held';
  else for (const link of erased) yield { done: 'erased', ...link };
}

async function* wouldErase(
  context: AdminContext,
  links: readonly PlannedLink[],
  except: ReadonlySet<string>,
): AsyncGenerator<EraseReport> {
  for (const { token, sha256 } of links) {
    const needed = await isFileNeeded(context, sha256, { except });
    yield { done: 'would erase', token, sha256, file: needed ? 'kept' : 'would be deleted' };
  }
}
