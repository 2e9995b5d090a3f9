import type { BlobClient, BlobItem, ContainerClient } from '@azure/storage-blob';
import { answered, attempt } from './attempt.ts';
import { type ContainerOptions, openContainer } from './container.ts';
import { parseLink } from './link-record.ts';
import { readSmall } from './read-small.ts';
import { parseUntil } from './until.ts';

export interface SweepOptions extends ContainerOptions {
  readonly signal: AbortSignal;
  /** ms since 1970 */
  readonly now: number;
}

export interface Swept {
  files: number;
  /** Of the files. */
  bytes: number;
  messages: number;
  links: number;
}

/** So long does an expired link still say that it has expired, before it is as unknown as any other. */
export const linkGraceMs = 30 * 86_400_000;

/**
 * Deletes what nobody can need any more: files and manifests whose `until` has passed, links that expired 30 days ago.
 * Revoked links stay. May run at any time, beside any number of relays and of itself: each blob is judged on what it
 * says now and deleted only while its ETag is the one that was judged, so that a file which a new message is just
 * about to use either has its `until` raised first, and stays, or is gone first, and is uploaded again.
 */
export async function sweep(options: SweepOptions): Promise<Swept> {
  const container = openContainer(options);
  const run: Run = { container, now: options.now, signal: options.signal };
  const swept: Swept = { files: 0, bytes: 0, messages: 0, links: 0 };
  for await (const item of list(run, 'files/')) {
    if (!(isOver(run, item.metadata) && (await deleteOver(run, item.name)))) continue;
    swept.files++;
    swept.bytes += item.properties.contentLength ?? 0;
  }
  for await (const item of list(run, 'messages/')) {
    if (isOver(run, item.metadata) && (await deleteOver(run, item.name))) swept.messages++;
  }
  for await (const item of list(run, 'links/')) {
    // What was written since cannot have expired so long ago.
    if (item.properties.lastModified.getTime() + linkGraceMs > run.now) continue;
    if (await deleteDeadLink(run, item.name)) swept.links++;
  }
  return swept;
}

interface Run {
  readonly container: ContainerClient;
  readonly now: number;
  readonly signal: AbortSignal;
}

async function* list({ container, signal }: Run, prefix: string): AsyncIterable<BlobItem> {
  const pages = container
    .listBlobsFlat({ prefix, includeMetadata: true, abortSignal: signal })
    .byPage({ maxPageSize: 500 });
  for (;;) {
    const page = await attempt({ what: `listing ${prefix}`, signal }, () => pages.next());
    if (page.done === true) return;
    yield* page.value.segment.blobItems;
  }
}

/** Not when it cannot be read, nor when it says `never`. */
function isOver({ now }: Run, metadata: Readonly<Record<string, string>> | undefined): boolean {
  const until = parseUntil(metadata);
  return typeof until === 'number' && until < now;
}

/** The listing may be old: what counts is what the blob says when it is asked itself. */
function deleteOver(run: Run, name: string): Promise<boolean> {
  const blob = run.container.getBlobClient(name);
  return attempt({ what: `sweeping ${name}`, signal: run.signal }, async ({ signal: abortSignal }) => {
    try {
      const found = await blob.getProperties({ abortSignal });
      if (found.etag === undefined || !isOver(run, found.metadata)) return false;
      return await deleteUnchanged(blob, found.etag, abortSignal);
    } catch (error) {
      answered(error, 404);
      return false;
    }
  });
}

async function deleteDeadLink(run: Run, name: string): Promise<boolean> {
  const blob = run.container.getBlobClient(name);
  const found = await readSmall(blob, { what: 'sweeping a link', signal: run.signal });
  const link = found && parseLink(found.bytes.toString());
  if (!link || link.revoked !== undefined || link.expires === null) return false;
  if (Date.parse(link.expires) + linkGraceMs > run.now) return false;
  return attempt({ what: 'sweeping a link', signal: run.signal }, ({ signal }) =>
    deleteUnchanged(blob, found.etag, signal),
  );
}

async function deleteUnchanged(blob: BlobClient, etag: string, abortSignal: AbortSignal): Promise<boolean> {
  try {
    await blob.delete({ abortSignal, conditions: { ifMatch: etag } });
    return true;
  } catch (error) {
    answered(error, 404, 412);
    return false;
  }
}
