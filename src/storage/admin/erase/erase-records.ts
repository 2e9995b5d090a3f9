import { contend } from '../../contention.ts';
import { manifestEntry, messageIndex, lastSegment } from '../../index-names.ts';
import { readLink } from '../../links.ts';
import { readTransaction, transactionContent } from '../../transaction-record.ts';
import { request } from '../context.ts';
import { deleteUnlessNeeded } from '../judged.ts';
import { keysOf, manifestsOf, transactionsOf } from '../message-blobs.ts';
import { dropEntry, type Erasure, isMessageNeeded } from './erase-message.ts';

/** Deletes the manifests of the message: the original cannot be restored without the erased file anyway. */
export async function eraseManifests(erasure: Erasure): Promise<void> {
  const { context, marked, inTime } = erasure;
  for (const { link } of marked.slice(0, 1)) {
    for await (const { name } of manifestsOf(context, link)) {
      inTime();
      const judged = await deleteUnlessNeeded(context, name, { isNeeded: () => isMessageNeeded(erasure) });
      if (judged === 'kept') continue;
      for (const { message } of keysOf(context, link)) {
        await dropEntry(erasure, messageIndex(message) + manifestEntry(lastSegment(name)));
      }
    }
  }
}

/**
 * Deletes the records of who got the links. Where other links remain, only the erased ones are taken out of the record.
 */
export async function eraseTransactions(erasure: Erasure): Promise<void> {
  const { context, marked, inTime } = erasure;
  for (const { link } of marked.slice(0, 1)) {
    for await (const { name } of transactionsOf(context, link)) {
      inTime();
      if (await withoutLinks(erasure, name)) continue;
      await deleteUnlessNeeded(context, name, { isNeeded: () => isMessageNeeded(erasure) });
    }
  }
}

/** Takes the erased links out of a record. @returns false when no other one is left in it */
function withoutLinks(erasure: Erasure, name: string): Promise<boolean> {
  const { context, marked, tokens } = erasure;
  const { blobs } = context;
  const what = request(context, 'recipients');
  return contend(what.what, async () => {
    const found = await blobs.read(name, what);
    if (!found) return true;
    const record = readTransaction(found.bytes, name);
    const left: string[] = [];
    for (const token of record.tokens) {
      if (!tokens.has(token) && (await readLink(blobs, token, context))) left.push(token);
    }
    if (left.length === 0) return false;
    if (left.length === record.tokens.length || erasure.links === 'deleted') return true;
    const gone = marked.filter(({ token }) => record.tokens.includes(token));
    const bytes = Math.max(
      0,
      gone.reduce((sum, { link }) => sum - link.size, record.bytes),
    );
    const { content, metadata } = transactionContent({ ...record, tokens: left, bytes });
    const until = found.metadata['until'];
    const change = { content, metadata: { ...metadata, ...(until !== undefined && { until }) }, etag: found.etag };
    return (await blobs.replace(name, { ...what, ...change })) || undefined;
  });
}
