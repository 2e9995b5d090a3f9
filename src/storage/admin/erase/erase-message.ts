/**
 * Erases links of one message, and everything that the message left in storage.
 *
 * While it works, deliveries of the same message get a temporary error: they would write what is being deleted. The
 * order is: mark the links; write their journals; delete their index entries, that of the file last; delete each file
 * that nobody else needs; delete manifests, recipients and pages; delete the links; delete the journals. A delivery that
 * writes its index entries after they were deleted is seen by them, and keeps what it needs. A delivery that wrote them
 * before finds them gone, and gets a temporary error. A crash in between leaves marked links and journals: the links
 * answer 404, and the next `erase` with the same arguments, or a sweep an hour later, completes what was begun.
 */
import { Failure } from '../../../smtp/failures.ts';
import { fileIndex } from '../../index-names.ts';
import { eraseTimeMs } from '../../link-record.ts';
import { readLink } from '../../links.ts';
import { fileBlob, linkBlob } from '../../naming.ts';
import { type AdminContext, request } from '../context.ts';
import { deleteIfUnchanged, deleteUnlessNeeded, type Judged } from '../judged.ts';
import { entriesOf, isMessageHeld } from '../message-blobs.ts';
import { isFileNeeded } from '../needed-file.ts';
import { erasePages } from './erase-pages.ts';
import { eraseManifests, eraseTransactions } from './erase-records.ts';
import { closeJournal, openJournals } from './journal.ts';
import { type MarkedLink, type Marking, markLinks, unmarkLinks } from './mark-links.ts';

export interface ErasedLink {
  readonly token: string;
  readonly sha256: string;
  readonly file: Judged;
}

/** Half of the time after which deliveries take a mark for one that a crash left: `erase` must be done before that. */
const workTimeMs = eraseTimeMs / 2;

export interface EraseMessageOptions extends Marking {
  /** Asked when the links are marked: if they are needed after all, the marks go, and nothing else is done. */
  readonly isNeeded?: () => Promise<boolean>;
}

/** @param tokens links of one message @returns 'held' when one of them is held, and nothing was done */
export async function eraseMessage(
  context: AdminContext,
  tokens: readonly string[],
  { isNeeded, ...marking }: EraseMessageOptions = {},
): Promise<readonly ErasedLink[] | 'held'> {
  const started = context.now();
  const marked = await markLinks(context, tokens, marking);
  if (marked === 'held') return 'held';
  if (marked.length === 0) return [];
  if (await isNeeded?.()) {
    await unmarkLinks(context, marked);
    return [];
  }
  const inTime = (): void => {
    if (context.now() - started < workTimeMs) return;
    throw new Failure('storageFailed', { reason: 'storage: erasing took too long; another erase completes it' });
  };
  const links = marked.some(({ etag }) => etag !== undefined) ? 'marked' : 'deleted';
  return eraseMarked({ context, marked, tokens: new Set(tokens), links, inTime });
}

async function eraseMarked(erasure: Erasure): Promise<readonly ErasedLink[]> {
  const { context, marked } = erasure;
  await openJournals(context, marked);
  for (const each of marked) await removeEntries(erasure, each);
  const files = await eraseFiles(erasure);
  await eraseRecords(erasure);
  for (const { token, etag } of marked) {
    if (etag !== undefined) await deleteIfUnchanged(context, { name: linkBlob(token), etag });
  }
  // A delivery that looked before the entries were deleted may have written these since.
  await eraseRecords({ ...erasure, links: 'deleted' });
  for (const { token } of marked) await closeJournal(context, token);
  return marked.map(({ token, link: { sha256 } }) => ({ token, sha256, file: files.get(sha256) ?? 'gone' }));
}

export interface Erasure {
  readonly context: AdminContext;
  readonly marked: readonly MarkedLink[];
  readonly tokens: ReadonlySet<string>;
  /**
   * While links are marked, deliveries of the message get a temporary error. When they are deleted, records are only
   * deleted as a whole, if nobody needs them: a delivery would not write again what a record has lost.
   */
  readonly links: 'marked' | 'deleted';
  /** @throws Failure when deliveries may soon take the marks for ones that a crash left */
  readonly inTime: () => void;
}

/**
 * The entries of a link that is gone were deleted before it: those that exist belong to a new delivery. Another `erase` may
 * delete the link at any time, so an entry is deleted in the version that it had while the link still had our mark.
 */
async function removeEntries({ context, inTime }: Erasure, { token, link, etag }: MarkedLink): Promise<void> {
  if (etag === undefined) return;
  for (const name of entriesOf(context, { token, link })) {
    inTime();
    const entry = await context.blobs.stat(name, request(context, 'index'));
    if (!entry) continue;
    if ((await readLink(context.blobs, token, context))?.etag !== etag) return;
    await deleteIfUnchanged(context, { name, etag: entry.etag });
  }
}

async function eraseFiles({ context, marked, inTime }: Erasure): Promise<ReadonlyMap<string, Judged>> {
  const files = new Map<string, Judged>();
  for (const { sha256 } of marked.map(({ link }) => link)) {
    inTime();
    if (files.has(sha256)) continue;
    const judged = await deleteUnlessNeeded(context, fileBlob(sha256), {
      isNeeded: () => isFileNeeded(context, sha256),
    });
    files.set(sha256, judged);
  }
  return files;
}

async function eraseRecords(erasure: Erasure): Promise<void> {
  await eraseManifests(erasure);
  await eraseTransactions(erasure);
  await erasePages(erasure);
}

/**
 * Whether manifests, recipients and pages must stay: the message is being delivered again, or another of its links is
 * held.
 */
export async function isMessageNeeded({ context, marked, tokens }: Erasure): Promise<boolean> {
  for (const { token, link } of marked) {
    const entry = await context.blobs.stat(fileIndex(link.sha256) + token, request(context, 'index'));
    if (entry) return true;
  }
  return isMessageHeld(context, marked[0]!.link, { except: tokens });
}

/** Deletes an index entry of a record that is gone, unless a delivery has written it again. */
export async function dropEntry(erasure: Erasure, name: string): Promise<void> {
  const { context } = erasure;
  const entry = await context.blobs.stat(name, request(context, 'index'));
  if (entry && !(await isMessageNeeded(erasure))) await deleteIfUnchanged(context, { name, etag: entry.etag });
}
