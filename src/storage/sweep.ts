import type { Blobs, ListedBlob, Metadata } from './blobs.ts';
import { parseLink } from './link-record.ts';
import { parseUntil } from './until.ts';

export interface SweepOptions {
  readonly blobs: Blobs;
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

/** How long an expired link answers 410; after that it is deleted and answers 404. */
export const linkGraceMs = 30 * 86_400_000;

/**
 * Deletes what nobody can need any more: files and manifests whose `until` has passed, links that expired 30 days ago.
 * Revoked links stay. May run at any time, beside any number of relays and of itself: each blob is judged on what it
 * says now and deleted only while its ETag is the one that was judged, so that a file which a new message is just
 * about to use either has its `until` raised first, and stays, or is gone first, and is uploaded again.
 */
export async function sweep(run: SweepOptions): Promise<Swept> {
  const swept: Swept = { files: 0, bytes: 0, messages: 0, links: 0 };
  for await (const item of list(run, 'files/')) {
    if (!(isOver(run, item.metadata) && (await deleteOver(run, item.name)))) continue;
    swept.files++;
    swept.bytes += item.size;
  }
  for await (const item of list(run, 'messages/')) {
    if (isOver(run, item.metadata) && (await deleteOver(run, item.name))) swept.messages++;
  }
  for await (const item of list(run, 'links/')) {
    // What was written since cannot have expired so long ago.
    if (item.modified + linkGraceMs > run.now) continue;
    if (await deleteDeadLink(run, item.name)) swept.links++;
  }
  return swept;
}

async function* list({ blobs, signal }: SweepOptions, prefix: string): AsyncIterable<ListedBlob> {
  for await (const page of blobs.list(prefix, { what: `listing ${prefix}`, signal })) yield* page;
}

/** Not when it cannot be read, nor when it says `never`. */
function isOver({ now }: SweepOptions, metadata: Metadata): boolean {
  const until = parseUntil(metadata);
  return typeof until === 'number' && until < now;
}

/** The listing may be old: what counts is what the blob says when it is asked itself. */
async function deleteOver(run: SweepOptions, name: string): Promise<boolean> {
  const request = { what: `sweeping ${name}`, signal: run.signal };
  const found = await run.blobs.stat(name, request);
  if (!found || !isOver(run, found.metadata)) return false;
  return run.blobs.delete(name, { ...request, etag: found.etag });
}

async function deleteDeadLink(run: SweepOptions, name: string): Promise<boolean> {
  const request = { what: 'sweeping a link', signal: run.signal };
  const found = await run.blobs.read(name, request);
  const link = found && parseLink(found.bytes.toString());
  if (!link || link.revoked !== undefined || link.expires === null) return false;
  if (Date.parse(link.expires) + linkGraceMs > run.now) return false;
  return run.blobs.delete(name, { ...request, etag: found.etag });
}
