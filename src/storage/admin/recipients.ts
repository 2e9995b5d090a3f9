/** Who got the links of a message. Recipients are kept as keyed hashes, so that they can only be found by address. */
import { recipientKeyOf } from '../naming.ts';
import { senderForm } from '../senders.ts';
import { readTransaction, type TransactionRecord } from '../transaction-record.ts';
import { type AdminContext, inParallel, namesBelow, request, unlessDamaged } from './context.ts';
import { type MessageIdentity, transactionsOf } from './message-blobs.ts';

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

/** Tokens that a recipient got in any message; a token comes once for each transaction. */
export async function* tokensOfRecipient(context: AdminContext, keys: ReadonlySet<string>): AsyncGenerator<string> {
  const all = namesBelow(context, 'index/transaction/');
  const read = (name: string): Promise<FoundTransaction | undefined> =>
    unlessDamaged(context, () => readTransactionAt(context, name));
  for await (const found of inParallel(all, read)) {
    if (found && namesRecipient(found.record, keys)) yield* found.record.tokens;
  }
}

/** Whether one of the recipients got that link. */
export async function wasSentTo(
  context: AdminContext,
  {
    token,
    message,
    keys,
  }: { readonly token: string; readonly message: MessageIdentity; readonly keys: ReadonlySet<string> },
): Promise<boolean> {
  for await (const { name } of transactionsOf(context, message)) {
    const record = (await readTransactionAt(context, name))?.record;
    if (record?.tokens.includes(token) && namesRecipient(record, keys)) return true;
  }
  return false;
}
