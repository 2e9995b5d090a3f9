import { type AdminContext, readable, unlessDamaged } from '../context.ts';
import { readTransactionAt } from '../recipients.ts';
import { groupedByKey } from './grouped.ts';

interface Transaction {
  readonly name: string;
  /** Keyed hash of the reverse-path: another sender with the same Message-ID sent another message. */
  readonly sender: string;
  readonly recipients: number;
  /** Of all files of the message. */
  readonly bytes: number;
}

/**
 * What the mailboxes of all recipients would hold if the files had stayed in the messages: decoded bytes. A message in
 * several transactions counts each recipient once. Messages from before the index are not known.
 */
export async function mailboxBytes(context: AdminContext): Promise<number> {
  let total = 0;
  for await (const [, transactions] of groupedByKey(described(context), ({ name }) => name)) {
    for (const ofSender of bySender(transactions)) total += await bytesOf(context, ofSender);
  }
  return total;
}

async function* described(context: AdminContext): AsyncGenerator<Transaction> {
  for await (const { name, metadata } of readable(context, 'index/transaction/')) {
    const { sender = '', recipients = 0, bytes = 0 } = metadata;
    yield { name, sender, recipients: Number(recipients), bytes: Number(bytes) };
  }
}

function bySender(transactions: readonly Transaction[]): Iterable<readonly Transaction[]> {
  const groups = new Map<string, Transaction[]>();
  for (const transaction of transactions) {
    const group = groups.get(transaction.sender);
    if (group) group.push(transaction);
    else groups.set(transaction.sender, [transaction]);
  }
  return groups.values();
}

async function bytesOf(context: AdminContext, transactions: readonly Transaction[]): Promise<number> {
  const [only] = transactions;
  if (only && transactions.length === 1) return only.recipients * only.bytes;
  // By recipient: one who is in several transactions got the message once.
  const got = new Map<string, number>();
  for (const { name } of transactions) {
    const record = (await unlessDamaged(context, () => readTransactionAt(context, name)))?.record;
    for (const recipient of record?.recipients ?? []) {
      got.set(recipient, Math.max(got.get(recipient) ?? 0, record?.bytes ?? 0));
    }
  }
  return [...got.values()].reduce((sum, bytes) => sum + bytes, 0);
}
