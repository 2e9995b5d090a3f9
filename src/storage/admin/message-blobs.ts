/** Which blobs belong to the message of a link. */
import type { ListedBlob } from '../blobs.ts';
import { fileIndex, messageEntry, messageIndex, senderIndex, transactionIndex } from '../index-names.ts';
import type { Link } from '../interface.ts';
import { type FoundLink, readLink } from '../links.ts';
import { manifestPrefixOf, messageBlob, messageKeyOf, pageBlob, senderKeyOf } from '../naming.ts';
import { senderForm } from '../senders.ts';
import { type AdminContext, listed, request } from './context.ts';
import { deleteNow } from './judged.ts';

export type MessageIdentity = Pick<Link, 'messageIdentity' | 'reversePath'>;

/** A message as its blobs name it, under one of the secrets. */
export interface MessageKeys {
  readonly message: string;
  /** Keyed hash of the reverse-path: the same Message-ID from another sender is another message. */
  readonly sender: string;
}

export const keysOf = (
  { secrets }: Pick<AdminContext, 'secrets'>,
  { messageIdentity, reversePath }: MessageIdentity,
): readonly MessageKeys[] =>
  secrets.map((secret) => ({
    message: messageKeyOf(secret, messageIdentity),
    sender: senderKeyOf(secret, senderForm(reversePath)),
  }));

export const sameMessage = (a: MessageIdentity, b: MessageIdentity): boolean =>
  a.messageIdentity === b.messageIdentity && a.reversePath === b.reversePath;

export interface TokenedLink extends FoundLink {
  readonly token: string;
}

/** What the index has to know of a link. */
export type IndexedLink = Pick<TokenedLink, 'token' | 'link'>;

/** The existing links of the message, those being erased included. */
async function* linksOf(context: AdminContext, message: MessageIdentity): AsyncGenerator<TokenedLink> {
  for (const keys of keysOf(context, message)) {
    for await (const { name } of listed(context, messageIndex(keys.message))) {
      const { kind, token } = messageEntry(name);
      const found = kind === 'link' ? await readLink(context.blobs, token, context) : undefined;
      if (found && sameMessage(found.link, message)) yield { ...found, token };
    }
  }
}

/** Whether a link of the message, other than these, is held. */
export async function isMessageHeld(
  context: AdminContext,
  message: MessageIdentity,
  { except }: { readonly except?: ReadonlySet<string> } = {},
): Promise<boolean> {
  for await (const { token, link } of linksOf(context, message)) {
    if (link.held !== undefined && except?.has(token) !== true) return true;
  }
  return false;
}

/** The names under which the index may know a link: that of its file is the last. */
export function entriesOf({ secrets }: Pick<AdminContext, 'secrets'>, { token, link }: IndexedLink): readonly string[] {
  const senders = link.senders ?? [senderForm(link.reversePath)];
  const keyed = secrets.flatMap((secret) => [
    ...senders.map((sender) => senderIndex(senderKeyOf(secret, sender)) + token),
    messageIndex(messageKeyOf(secret, link.messageIdentity)) + token,
  ]);
  return [...keyed, fileIndex(link.sha256) + token];
}

/** Writes the entries by which a link is found, as for a new message. */
export async function writeEntries(context: AdminContext, indexed: IndexedLink): Promise<void> {
  const entries = entriesOf({ secrets: context.secrets.slice(0, 1) }, indexed);
  for (const name of entries) await context.blobs.touch(name, request(context, 'index'));
}

/** Deletes the entry of a page or manifest that is gone, under whichever secret it was written. */
export async function dropEntriesOf(
  context: AdminContext,
  message: MessageIdentity,
  { entry }: { readonly entry: string },
): Promise<void> {
  for (const keys of keysOf(context, message)) await deleteNow(context, messageIndex(keys.message) + entry);
}

/** The manifests of the message. */
export async function* manifestsOf(context: AdminContext, link: Link): AsyncGenerator<ListedBlob> {
  for (const { message, sender } of keysOf(context, link)) {
    for await (const blob of listed(context, messageBlob(manifestPrefixOf(message)))) {
      const { metadata } = blob;
      if (metadata['message'] === message && metadata['sender'] === sender) yield blob;
    }
    yield* oldManifestsOf(context, { link, message });
  }
}

/**
 * Manifests from before the index do not name the sender: a manifest that holds the link's file belongs to the message.
 */
async function* oldManifestsOf(
  context: AdminContext,
  { link, message }: { readonly link: Link; readonly message: string },
): AsyncGenerator<ListedBlob> {
  for await (const { name } of listed(context, messageIndex(message))) {
    const { kind, token: id } = messageEntry(name);
    if (kind !== 'manifest') continue;
    const found = await context.blobs.read(messageBlob(id), request(context, 'reading a manifest'));
    if (found?.bytes.includes(link.sha256)) yield { name: messageBlob(id), ...found };
  }
}

/** The records of recipients of the message. */
export async function* transactionsOf(context: AdminContext, message: MessageIdentity): AsyncGenerator<ListedBlob> {
  for (const keys of keysOf(context, message)) {
    for await (const blob of listed(context, transactionIndex(keys.message))) {
      if (blob.metadata['sender'] === keys.sender) yield blob;
    }
  }
}

/** Tokens of the pages that the index knows under the Message-ID. */
export async function* pagesOf(context: AdminContext, message: MessageIdentity): AsyncGenerator<string> {
  for (const keys of keysOf(context, message)) {
    for await (const { name } of listed(context, messageIndex(keys.message))) {
      const { kind, token } = messageEntry(name);
      if (kind === 'page') yield token;
    }
  }
}

/** Everything of the message that has an `until` of its own. */
export async function* lastingBlobsOf(context: AdminContext, link: Link): AsyncGenerator<string> {
  for await (const { name } of manifestsOf(context, link)) yield name;
  for await (const { name } of transactionsOf(context, link)) yield name;
  for await (const token of pagesOf(context, link)) yield pageBlob(token);
}
