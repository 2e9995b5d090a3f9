/**
 * Who got the links of a message. Recipients are kept as keyed hashes, so that they can only be found by address. Those of
 * messages from before the index are known only from the header that restores the message.
 */
import { messageIndex } from '../index-names.ts';
import type { Link } from '../interface.ts';
import { messageKeyOf, recipientKeyOf } from '../naming.ts';
import { senderForm } from '../senders.ts';
import { readTransaction, type TransactionRecord } from '../transaction-record.ts';
import { isOldManifest, oldManifests, readOldManifest } from './before-index.ts';
import { type AdminContext, inParallel, namesBelow, request, unlessDamaged } from './context.ts';
import { tokensBelow } from './indexed-tokens.ts';
import { namesRecipientInHeader } from './manifest-header.ts';
import { manifestsOf, transactionsOf } from './message-blobs.ts';

/** The keyed hashes of the address, one for each secret. */
export const recipientKeys = ({ secrets }: Pick<AdminContext, 'secrets'>, recipient: string): ReadonlySet<string> =>
  new Set(secrets.map((secret) => recipientKeyOf(secret, senderForm(recipient))));

export const namesRecipient = ({ recipients }: TransactionRecord, keys: ReadonlySet<string>): boolean =>
  recipients.some((recipient) => keys.has(recipient));

export interface FoundTransaction {
  readonly name: string;
  readonly record: TransactionRecord;
  readonly etag: string;
  readonly until: string | undefined;
}

export async function readTransactionAt(context: AdminContext, name: string): Promise<FoundTransaction | undefined> {
  const found = await context.blobs.read(name, request(context, 'recipients'));
  if (!found) return undefined;
  return { name, record: readTransaction(found.bytes, name), etag: found.etag, until: found.metadata['until'] };
}

/** Tokens that a recipient got in any message; a token may come several times. */
export async function* tokensOfRecipient(context: AdminContext, recipient: string): AsyncGenerator<string> {
  const keys = recipientKeys(context, recipient);
  const all = namesBelow(context, 'index/transaction/');
  const read = (name: string): Promise<FoundTransaction | undefined> =>
    unlessDamaged(context, () => readTransactionAt(context, name));
  for await (const found of inParallel(all, read)) {
    if (found && namesRecipient(found.record, keys)) yield* found.record.tokens;
  }
  yield* tokensOfOldRecipient(context, recipient);
}

async function* tokensOfOldRecipient(context: AdminContext, recipient: string): AsyncGenerator<string> {
  const identityIn = async (name: string): Promise<string | undefined> => {
    const manifest = await readOldManifest(context, name);
    return manifest && namesRecipientInHeader(manifest.bytes, recipient) ? manifest.messageIdentity : undefined;
  };
  const identities = inParallel(oldManifests(context), (name) => unlessDamaged(context, () => identityIn(name)));
  for await (const identity of identities) {
    if (identity === undefined) continue;
    yield* tokensBelow(
      context,
      context.secrets.map((secret) => messageIndex(messageKeyOf(secret, identity))),
    );
  }
}

/** Whether the recipient got that link. */
export async function wasSentTo(
  context: AdminContext,
  { token, link, recipient }: { readonly token: string; readonly link: Link; readonly recipient: string },
): Promise<boolean> {
  const keys = recipientKeys(context, recipient);
  for await (const { name } of transactionsOf(context, link)) {
    const record = (await readTransactionAt(context, name))?.record;
    if (record?.tokens.includes(token) && namesRecipient(record, keys)) return true;
  }
  for await (const { name, metadata } of manifestsOf(context, link)) {
    if (!isOldManifest(metadata)) continue;
    const manifest = await readOldManifest(context, name);
    if (manifest && namesRecipientInHeader(manifest.bytes, recipient)) return true;
  }
  return false;
}
