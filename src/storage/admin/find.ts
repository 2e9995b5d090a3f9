/** Finds links by what an operator knows, and reads only those that can match. */
import { fileIndex, lastSegment, messageIndex, senderIndex } from '../index-names.ts';
import type { Link } from '../interface.ts';
import { linkState } from '../link-record.ts';
import { readLink } from '../links.ts';
import { fileBlob, messageKeyOf, plainMessageId, senderKeyOf } from '../naming.ts';
import { senderForm } from '../senders.ts';
import { linksBeforeIndex } from './before-index.ts';
import { type AdminContext, inParallel, namesBelow, request, unlessDamaged } from './context.ts';
import { tokensBelow } from './indexed-tokens.ts';
import { tokensOfRecipient, wasSentTo } from './recipients.ts';

export type FoundState = 'living' | 'expired' | 'revoked' | 'missing';

export interface Filter {
  readonly sender?: string | undefined;
  readonly messageId?: string | undefined;
  /** A name, or a SHA-256 in hex. */
  readonly file?: string | undefined;
  readonly recipient?: string | undefined;
  /** Created at this time or later, and at this time or earlier: ms since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly states?: ReadonlySet<FoundState> | undefined;
}

export interface Found {
  readonly token: string;
  readonly link: Link;
  readonly state: FoundState;
}

export interface Erasing {
  /** Also links that an `erase` has begun to delete. */
  readonly erasing?: boolean;
}

/** Links that match the whole filter. */
export async function* findLinks(context: AdminContext, filter: Filter, options: Erasing = {}): AsyncGenerator<Found> {
  const look = (token: string): Promise<Found | undefined> =>
    unlessDamaged(context, () => findMatching(context, token, { ...options, filter }));
  for await (const found of inParallel(candidates(context, filter), look)) if (found) yield found;
}

/** A link as it is now; undefined when there is none. */
export async function findLink(
  context: AdminContext,
  token: string,
  { erasing = false }: Erasing = {},
): Promise<Found | undefined> {
  const link = (await readLink(context.blobs, token, context))?.link;
  if (!link || (link.erasing !== undefined && !erasing)) return undefined;
  return { token, link, state: await stateOf(context, link) };
}

async function findMatching(
  context: AdminContext,
  token: string,
  { filter, erasing = false }: Erasing & { readonly filter: Filter },
): Promise<Found | undefined> {
  const link = (await readLink(context.blobs, token, context))?.link;
  if (!link || (link.erasing !== undefined && !erasing) || !matches(link, filter)) return undefined;
  const state = await stateOf(context, link);
  if (filter.states && !filter.states.has(state)) return undefined;
  const { recipient } = filter;
  if (recipient !== undefined && !(await wasSentTo(context, { token, link, recipient }))) return undefined;
  return { token, link, state };
}

async function stateOf(context: AdminContext, link: Link): Promise<FoundState> {
  const state = linkState(link, context.now());
  if (state !== 'living') return state;
  const file = await context.blobs.stat(fileBlob(link.sha256), request(context, 'looking for a file'));
  return file?.size === link.size ? 'living' : 'missing';
}

/** Tokens that can match, each one once. */
async function* candidates(context: AdminContext, filter: Filter): AsyncGenerator<string> {
  const indexed = indexedTokens(context, filter);
  if (!indexed) {
    for await (const name of namesBelow(context, 'links/')) yield lastSegment(name);
    return;
  }
  const given = new Set<string>();
  for await (const token of indexed) {
    if (given.has(token)) continue;
    given.add(token);
    yield token;
  }
  for await (const token of linksBeforeIndex(context)) if (!given.has(token)) yield token;
}

/** Tokens from the index; undefined: the filter has nothing that is in the index. */
function indexedTokens(context: AdminContext, filter: Filter): AsyncIterable<string> | undefined {
  const prefixes = prefixesFor(context, filter);
  if (prefixes) return tokensBelow(context, prefixes);
  return filter.recipient === undefined ? undefined : tokensOfRecipient(context, filter.recipient);
}

function prefixesFor({ secrets }: AdminContext, filter: Filter): readonly string[] | undefined {
  const { messageId, file, sender } = filter;
  if (messageId !== undefined) return secrets.map((secret) => messageIndex(messageKeyOf(secret, messageId)));
  if (file !== undefined && isHash(file)) return [fileIndex(file.toLowerCase())];
  if (sender !== undefined) return secrets.map((secret) => senderIndex(senderKeyOf(secret, senderForm(sender))));
  return undefined;
}

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/i.test(text);

/** Whether the link itself matches: state and recipients stand elsewhere. */
export function matches(link: Link, { messageId, file, sender, since, until }: Filter): boolean {
  const created = Date.parse(link.created);
  if (since !== undefined && created < since) return false;
  if (until !== undefined && created > until) return false;
  if (messageId !== undefined && plainMessageId(link.messageIdentity) !== plainMessageId(messageId)) return false;
  if (file !== undefined && !isFile(link, file)) return false;
  const senders = link.senders ?? [senderForm(link.reversePath)];
  return sender === undefined || senders.includes(senderForm(sender));
}

const isFile = ({ name, sha256 }: Link, file: string): boolean =>
  isHash(file) ? sha256 === file.toLowerCase() : name.toLowerCase() === file.toLowerCase();
