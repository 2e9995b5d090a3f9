/** Makes up messages of one file each, as the blobs that they leave in storage. */
import { createHash } from 'node:crypto';
import { fileIndex, messageIndex, senderIndex, transactionIndex } from '../../src/storage/index-names.ts';
import type { NewMessage } from '../../src/storage/interface.ts';
import { linkMetadata, newLink } from '../../src/storage/link-record.ts';
import {
  fileBlob,
  linkBlob,
  manifestIdOf,
  messageBlob,
  messageKeyOf,
  senderKeyOf,
  tokenOf,
} from '../../src/storage/naming.ts';
import { transactionRecord } from '../../src/storage/transaction-record.ts';
import { formatUntil, grantedUntil, neededUntil } from '../../src/storage/until.ts';

export interface MadeUpBlob {
  readonly name: string;
  readonly content: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

export const secret = Buffer.alloc(32, 1);
const day = 86_400_000;
const expiresAfter = 90 * day;
/** How many messages share a file. */
export const messagesPerFile = 10;
const senders = 1000;

export const messageIdOf = (i: number): string => `<made-up-${i}@example.com>`;

export const senderOf = (i: number): string => `sender-${i % senders}@example.com`;

/** A tenth of the messages are so old that a sweep deletes all their blobs. */
const isOver = (i: number): boolean => Math.floor(i / messagesPerFile) % 10 === 0;

export function* madeUpMessage(i: number, now: number): Generator<MadeUpBlob> {
  const at = isOver(i) ? now - 200 * day : now - day;
  const bytes = Buffer.from(`file ${Math.floor(i / messagesPerFile)}`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const reversePath = senderOf(i);
  const messageIdentity = messageIdOf(i);
  const file = {
    partNumber: '2',
    name: `plan-${i}.pdf`,
    type: 'application/pdf',
    sha256,
    size: bytes.length,
    crc32: 0,
  };
  const message: NewMessage = {
    messageIdentity,
    reversePath,
    recipients: [`a-${i}@example.org`, `b-${i}@example.org`],
    from: reversePath,
    subject: undefined,
    files: [file],
  };
  const token = tokenOf(secret, { ...message, ...file });
  const sender = senderKeyOf(secret, reversePath);
  const key = messageKeyOf(secret, messageIdentity);
  const until = formatUntil(grantedUntil(neededUntil(at, expiresAfter)));
  const details = { size: bytes.length, crc32: 0, from: reversePath, senders: [reversePath] };
  const link = newLink({ ...message, ...file }, details, { now: at, expiresAfter });
  const nothing = { content: Buffer.alloc(0), metadata: {} };
  yield { name: fileIndex(sha256) + token, ...nothing };
  yield { name: messageIndex(key) + token, ...nothing };
  yield { name: senderIndex(sender) + token, ...nothing };
  if (i % messagesPerFile === 0)
    yield { name: fileBlob(sha256), content: bytes, metadata: { until, crc32: '00000000' } };
  yield { name: linkBlob(token), content: Buffer.from(JSON.stringify(link)), metadata: linkMetadata(link) };
  const manifest = Buffer.from(JSON.stringify({ v: 1, original: { header: `Message-ID: ${messageIdentity}` } }));
  yield {
    name: messageBlob(manifestIdOf(secret, { messageKey: key, manifest })),
    content: manifest,
    metadata: { until, message: key, sender },
  };
  const record = transactionRecord(secret, message, { tokens: [token] });
  yield { name: transactionIndex(key) + record.id, content: record.content, metadata: { ...record.metadata, until } };
}
