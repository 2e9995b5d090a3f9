import type { Metadata } from './blobs.ts';
import { DamagedRecord } from './damaged-record.ts';
import type { NewMessage } from './interface.ts';
import { keyedHash, recipientKeyOf, senderKeyOf } from './naming.ts';
import { senderForm } from './senders.ts';

/** Who got the links of a message in one transaction: recipients as keyed hashes only. */
export interface TransactionRecord {
  readonly v: 1;
  /** Keyed hash of the reverse-path. */
  readonly sender: string;
  readonly tokens: readonly string[];
  readonly recipients: readonly string[];
  /** Decoded bytes of all its files. */
  readonly bytes: number;
}

/** The record, and its name among the transactions of the message: the same for every retry. */
export function transactionRecord(
  secret: Buffer,
  message: NewMessage,
  { tokens }: { readonly tokens: readonly string[] },
): { readonly id: string; readonly content: Buffer; readonly metadata: Metadata } {
  const recipients = [...new Set(message.recipients.map((to) => recipientKeyOf(secret, senderForm(to))))].sort();
  const sender = senderKeyOf(secret, senderForm(message.reversePath));
  const bytes = message.files.reduce((sum, { size }) => sum + size, 0);
  const record: TransactionRecord = { v: 1, sender, tokens, recipients, bytes };
  const id = keyedHash(secret, ['detach-mta transaction 1', message.reversePath, ...tokens, ...recipients]);
  return { id, ...transactionContent(record) };
}

/** The content as stored. For most records, `stats` finds what it needs in the metadata of a listing. */
export function transactionContent(record: TransactionRecord): {
  readonly content: Buffer;
  readonly metadata: Metadata;
} {
  const { sender, recipients, bytes } = record;
  const metadata = { sender, recipients: String(recipients.length), bytes: String(bytes) };
  return { content: Buffer.from(JSON.stringify(record)), metadata };
}

/** @throws DamagedRecord when it is no record that this version can read */
export function readTransaction(bytes: Buffer, name: string): TransactionRecord {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as Partial<TransactionRecord>;
    if (value.v === 1 && Array.isArray(value.tokens) && Array.isArray(value.recipients))
      return value as TransactionRecord;
  } catch {
    // Reported below.
  }
  throw new DamagedRecord(name, { what: 'recipients', problem: 'not a record that this version can read' });
}
