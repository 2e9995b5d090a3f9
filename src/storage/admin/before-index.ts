/**
 * Links and manifests of versions that had no index. The first sweep brings them into it; a command that must know what
 * belongs together does so itself when no sweep has run through yet.
 */
import { lastSegment, manifestEntry, messageIndex, sweepRecord } from '../index-names.ts';
import type { Link } from '../interface.ts';
import { DamagedRecord } from '../damaged-record.ts';
import { livesOrIsHeld } from '../link-record.ts';
import { readLink, writeLink } from '../links.ts';
import { messageKeyOf } from '../naming.ts';
import { sendersOf } from '../senders.ts';
import { type AdminContext, forAll, readable, request, unlessDamaged } from './context.ts';
import { messageIdOf } from './manifest-header.ts';
import { type TokenedLink, writeEntries } from './message-blobs.ts';

/** Version 1 had no metadata. */
export const isBeforeIndex = ({ v }: Readonly<Record<string, string>>): boolean => v === undefined || v === '1';

/** Manifests from before the index do not name the sender, also when they were brought into it. */
export const isOldManifest = ({ sender }: Readonly<Record<string, string>>): boolean => sender === undefined;

/** Whether a sweep has run through: from then on every link and manifest is in the index. */
async function isIndexComplete(context: AdminContext): Promise<boolean> {
  const sweep = (): Promise<unknown> => context.blobs.stat(sweepRecord, request(context, 'looking for a sweep'));
  return (await unlessDamaged(context, sweep)) !== undefined;
}

/** Manifests from before the index. Nothing is listed when the last sweep has met none. */
export async function* oldManifests(context: AdminContext): AsyncGenerator<string> {
  const sweep = await context.blobs.stat(sweepRecord, request(context, 'looking for a sweep'));
  if (sweep?.metadata['old'] === 'no') return;
  for await (const { name, metadata } of readable(context, 'messages/')) if (isOldManifest(metadata)) yield name;
}

/** Tokens of links that may be in no index yet. */
export async function* linksBeforeIndex(context: AdminContext): AsyncGenerator<string> {
  if (await isIndexComplete(context)) return;
  for await (const { name, metadata } of readable(context, 'links/')) {
    if (isBeforeIndex(metadata)) yield lastSegment(name);
  }
}

/** Which of these files living or held links from before the index point to, apart from the given links. */
export async function neededBeforeIndex(
  context: AdminContext,
  { files, except }: { readonly files: ReadonlySet<string>; readonly except: ReadonlySet<string> },
): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  for await (const token of linksBeforeIndex(context)) {
    const link = except.has(token) ? undefined : (await readLink(context.blobs, token, context))?.link;
    if (!link || link.erasing !== undefined || !files.has(link.sha256)) continue;
    if (livesOrIsHeld(link, context.now())) needed.add(link.sha256);
  }
  return needed;
}

/**
 * Brings into the index what no sweep has. Before that, `erase` would delete files that other links point to and leave
 * the manifest, and `extend` would let the manifest go before the link.
 */
export async function completeIndex(context: AdminContext): Promise<void> {
  if (await isIndexComplete(context)) return;
  const addLink = async (token: string): Promise<void> => {
    const found = await readLink(context.blobs, token, context);
    if (found) await indexLink(context, { token, ...found });
  };
  await forAll(linksBeforeIndex(context), (token) => unlessDamaged(context, () => addLink(token)), context);
  const addManifest = async (name: string): Promise<void> => {
    const found = await readOldManifest(context, name);
    if (found) await indexManifest(context, found);
  };
  await forAll(
    readable(context, 'messages/'),
    async ({ name, metadata }) => {
      if (metadata['message'] === undefined) await unlessDamaged(context, () => addManifest(name));
    },
    context,
  );
}

/** Adds a link to the index. A link that another process changes at the same time waits for the next sweep. */
export async function indexLink(context: AdminContext, { token, link, etag }: TokenedLink): Promise<void> {
  const { blobs, signal } = context;
  const senders = link.senders ?? sendersOf(link.reversePath, undefined);
  const known: Link = { ...link, v: 2, senders, ...(link.v === 1 && { beforeIndex: true }) };
  await writeEntries(context, { token, link: known });
  if (link.v === 1) await writeLink(blobs, { token, link: known, etag, signal });
}

export interface OldManifest {
  readonly name: string;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** A byte string. */
  readonly messageIdentity: string;
}

/**
 * A manifest from before the index does not say whose it is, except in the header that it keeps. @returns undefined
 * when it is gone
 */
export async function readOldManifest(context: AdminContext, name: string): Promise<OldManifest | undefined> {
  const what = request(context, 'indexing a manifest');
  const found = await context.blobs.read(name, what);
  if (!found) return undefined;
  const messageIdentity = messageIdOf(found.bytes);
  if (messageIdentity !== undefined) return { name, ...found, messageIdentity };
  throw new DamagedRecord(name, { ...what, problem: 'not a manifest that this version can read' });
}

export async function indexManifest(context: AdminContext, manifest: OldManifest): Promise<void> {
  const { blobs, secrets } = context;
  const { name, etag, messageIdentity } = manifest;
  const what = request(context, 'indexing a manifest');
  const message = messageKeyOf(secrets[0]!, messageIdentity);
  await blobs.touch(messageIndex(message) + manifestEntry(lastSegment(name)), what);
  await blobs.setMetadata(name, { ...what, etag, metadata: { ...manifest.metadata, message } });
}
