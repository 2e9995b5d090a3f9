import { fileBlob } from '../../naming.ts';
import { neededBeforeIndex } from '../before-index.ts';
import { type AdminContext, request } from '../context.ts';
import type { Found } from '../find.ts';
import { isMessageHeld } from '../message-blobs.ts';
import { isFileNeeded } from '../needed-file.ts';
import { type ErasedLink, eraseMessage } from './erase-message.ts';
import type { Marking } from './mark-links.ts';

/** What is to be erased, message by message: names only, as there may be many. */
export interface ErasePlan {
  /** By message. */
  readonly messages: ReadonlyMap<string, readonly PlannedLink[]>;
  /** Links that an earlier `erase` has begun to delete, by message. */
  readonly begun: ReadonlyMap<string, readonly PlannedLink[]>;
  /** How many messages have a held link. Such a message is not erased: a hold keeps what the whole message needs. */
  readonly held: number;
}

export interface PlannedLink {
  readonly token: string;
  readonly sha256: string;
}

/** Reads all links before the first one is changed. */
export async function planErase(context: AdminContext, links: AsyncIterable<Found>): Promise<ErasePlan> {
  const [messages, begun] = [new Map<string, PlannedLink[]>(), new Map<string, PlannedLink[]>()];
  const [held, seen] = [new Set<string>(), new Set<string>()];
  for await (const { token, link } of links) {
    if (seen.has(token)) continue;
    seen.add(token);
    const key = JSON.stringify([link.messageIdentity, link.reversePath]);
    const known = messages.has(key) || begun.has(key);
    const plan = link.erasing === undefined ? messages : begun;
    const ofMessage = plan.get(key) ?? [];
    ofMessage.push({ token, sha256: link.sha256 });
    plan.set(key, ofMessage);
    if (link.held !== undefined || (!known && (await isMessageHeld(context, link)))) held.add(key);
  }
  return { messages, begun, held: held.size };
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
  yield* completeErase(context, { plan, dryRun });
  const except = dryRun ? await exceptions(context, plan) : undefined;
  for (const links of plan.messages.values()) {
    if (except) yield* wouldErase(context, links, except);
    else yield* eraseOne(context, links);
  }
}

/** The same for what an earlier `erase` has begun. */
export async function* completeErase(
  context: AdminContext,
  { plan, dryRun }: EraseOptions,
): AsyncGenerator<EraseReport | 'held'> {
  const except = dryRun && plan.begun.size > 0 ? await exceptions(context, plan) : undefined;
  for (const links of plan.begun.values()) {
    if (except) yield* wouldErase(context, links, except);
    else yield* eraseOne(context, links, { onlyBegun: true });
  }
}

async function* eraseOne(
  context: AdminContext,
  links: readonly PlannedLink[],
  marking: Marking = {},
): AsyncGenerator<EraseReport | 'held'> {
  const tokens = links.map(({ token }) => token);
  const erased = await eraseMessage(context, tokens, marking);
  if (erased === 'held') yield 'held';
  else for (const link of erased) yield { done: 'erased', ...link };
}

interface Exceptions {
  /** Links that are going to be erased: they need no file. */
  readonly except: ReadonlySet<string>;
  /** Files that links need which the index does not know yet. */
  readonly needed: ReadonlySet<string>;
}

async function exceptions(context: AdminContext, { messages, begun }: ErasePlan): Promise<Exceptions> {
  const links = [...messages.values(), ...begun.values()].flat();
  const except = new Set(links.map(({ token }) => token));
  const files = new Set(links.map(({ sha256 }) => sha256));
  return { except, needed: await neededBeforeIndex(context, { files, except }) };
}

async function* wouldErase(
  context: AdminContext,
  links: readonly PlannedLink[],
  { except, needed }: Exceptions,
): AsyncGenerator<EraseReport> {
  for (const { token, sha256 } of links) {
    const file = await context.blobs.stat(fileBlob(sha256), request(context, 'looking for a file'));
    const deleted = file ? 'would be deleted' : 'gone';
    const isNeeded = needed.has(sha256) || (await isFileNeeded(context, sha256, { except }));
    yield { done: 'would erase', token, sha256, file: isNeeded ? 'kept' : deleted };
  }
}
