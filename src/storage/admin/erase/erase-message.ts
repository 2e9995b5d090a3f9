/**
 * Erases links of one message, and everything that the message left in storage.
 *
 * While it works, deliveries of the same message get a temporary error: they would write what is being deleted. The
 * order is: mark the links; delete their index entries, that of the file last; delete each file that nobody else needs;
 * delete manifests, recipients and pages; delete the links. A delivery that writes its index entries after they were
 * deleted is seen by them, and keeps what it needs. A delivery that wrote them before finds them gone, and gets a
 * temporary error. A crash in between leaves marked links: they answer 404, and a sweep completes the `erase` an hour
 * later.
 */
import { Failure } from '../../../smtp/failures.ts';
import { fileIndex } from '../../index-names.ts';
import { eraseTimeMs } from '../../link-record.ts';
import { fileBlob, linkBlob } from '../../naming.ts';
import { type AdminContext, request } from '../context.ts';
import { deleteIfUnchanged, deleteNow, deleteUnlessNeeded, type Judged } from '../judged.ts';
import { entriesOf, isMessageHeld } from '../message-blobs.ts';
import { isFileNeeded } from '../needed-file.ts';
import { erasePages } from './erase-pages.ts';
import { eraseManifests, eraseTransactions } from './erase-records.ts';
import { type MarkedLink, markLinks } from './mark-links.ts';

export interface ErasedLink {
  readonly token: string;
  readonly sha256: string;
  readonly file: Judged;
}

/** Half of the time after which deliveries take a mark for one that a crash left: `erase` must be done before that. */
const workTimeMs = eraseTimeMs / 2;

/** @param tokens links of one message @returns 'held' when one of them is held, and nothing was done */
export async function eraseMessage(
  context: AdminContext,
  tokens: readonly string[],
): Promise<readonly ErasedLink[] | 'held'> {
  const started = context.now();
  const marked = await markLinks(context, tokens);
  if (marked === 'held') return 'held';
  const [first] = marked;
  if (!first) return [];
  const inTime = (): void => {
    if (context.now() - started < workTimeMs) return;
    throw new Failure('storageFailed', { reason: 'storage: erasing took too long; a sweep completes it' });
  };
  const erasure: Erasure = { context, marked, tokens: new Set(tokens), inTime };
  for (const each of marked) await removeEntries(erasure, each);
  const files = await eraseFiles(erasure);
  await eraseRecords(erasure);
  for (const { token, etag } of marked) await deleteIfUnchanged(context, linkBlob(token), etag);
  // A delivery that looked before the entries were deleted may have written these since.
  await eraseRecords(erasure);
  return marked.map(({ token, link: { sha256 } }) => ({ token, sha256, file: files.get(sha256) ?? 'gone' }));
}

export interface Erasure {
  readonly context: AdminContext;
  readonly marked: readonly MarkedLink[];
  readonly tokens: ReadonlySet<string>;
  /** @throws Failure when deliveries may soon take the marks for ones that a crash left */
  readonly inTime: () => void;
}

async function removeEntries({ context, inTime }: Erasure, { token, link }: MarkedLink): Promise<void> {
  for (const name of entriesOf(context, token, link)) {
    inTime();
    await deleteNow(context, name);
  }
}

async function eraseFiles({ context, marked, inTime }: Erasure): Promise<ReadonlyMap<string, Judged>> {
  const files = new Map<string, Judged>();
  for (const { sha256 } of marked.map(({ link }) => link)) {
    inTime();
    if (files.has(sha256)) continue;
    const judged = await deleteUnlessNeeded(context, fileBlob(sha256), () => isFileNeeded(context, sha256));
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
  return isMessageHeld(context, marked[0]!.link, tokens);
}
