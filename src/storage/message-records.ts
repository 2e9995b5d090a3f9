/**
 * What is written about one message in one transaction, and in which order.
 *
 * First the index: an operator can then find everything that is stored, and `erase` sees that the file is needed before
 * this message looks for it. Then file and link, which the caller writes. Last, together, the manifest, the recipients,
 * the page, and a check that the index entries still exist: `erase` of the same message removes them before it judges a
 * file, so while they exist, file and link do too. All of them are checked, since they are written at the same time, and
 * `erase` may come between.
 */
import { decodeWords } from '../message/encoded-word.ts';
import { Failure } from '../smtp/failures.ts';
import type { Blobs, Request } from './blobs.ts';
import { commitContent } from './content.ts';
import { commitRecord } from './commit-record.ts';
import { fileIndex, messageIndex, pageEntry, senderIndex, transactionIndex } from './index-names.ts';
import type { Link, MessageRecords, NewFile, NewMessage, Page } from './interface.ts';
import type { LinkDetails } from './link-record.ts';
import { commitLink } from './links.ts';
import { manifestIdOf, messageBlob, messageKeyOf, pageBlob, pageTokenOf, senderKeyOf, tokenOf } from './naming.ts';
import { boundedFrom, senderForm, sendersOf } from './senders.ts';
import { transactionRecord } from './transaction-record.ts';
import { neededUntil } from './until.ts';

export interface RecordOptions {
  readonly blobs: Blobs;
  /** With the secret that writes. */
  readonly secret: Buffer;
  readonly expiresAfter: number;
  readonly now: () => number;
  /** Told of each link that did not exist before. */
  readonly linkMade?: (() => void) | undefined;
}

/** Characters of From and Subject that are kept; no page shows more. */
const maxStatedLength = 500;
/** Bytes of From and Subject that are decoded for that. Bounds the work for a field of megabytes. */
const maxDecodedLength = 16_384;

const stated = (value: string): string => decodeWords(value.slice(0, maxDecodedLength)).slice(0, maxStatedLength);

/** Cut in the middle: the address stands at the end. */
function statedFrom(from: string): string {
  const half = maxDecodedLength / 2;
  const bounded = from.length <= maxDecodedLength ? from : from.slice(0, half) + from.slice(-half);
  return boundedFrom(decodeWords(bounded), { maxLength: maxStatedLength, from });
}

export class CommittedRecords implements MessageRecords {
  readonly tokens: readonly string[];
  readonly page: string | undefined;
  readonly #options: RecordOptions;
  readonly #message: NewMessage;
  readonly #messageKey: string;
  readonly #senders: readonly string[];
  readonly #links: Link[] = [];

  constructor(message: NewMessage, options: RecordOptions) {
    const { secret } = options;
    this.#options = options;
    this.#message = message;
    this.#messageKey = messageKeyOf(secret, message.messageIdentity);
    this.#senders = sendersOf(message.reversePath, message.from);
    this.tokens = message.files.map((file) => tokenOf(secret, { ...message, ...file }));
    this.page = this.tokens.length > 1 ? pageTokenOf(secret, message, { tokens: this.tokens }) : undefined;
  }

  async putIndex(signal: AbortSignal): Promise<void> {
    const { blobs } = this.#options;
    await Promise.all(this.#entries().map((name) => blobs.touch(name, { what: 'index', signal })));
  }

  async putLink(index: number, signal: AbortSignal): Promise<Link> {
    const { blobs, expiresAfter, now, linkMade } = this.#options;
    const file = this.#message.files[index]!;
    const link = await commitLink(blobs, {
      token: this.tokens[index]!,
      identity: { ...this.#message, ...file },
      details: this.#details(file),
      expiresAfter,
      now: now(),
      signal,
      made: linkMade,
    });
    this.#links[index] = link;
    return link;
  }

  async finish(manifest: Buffer, signal: AbortSignal): Promise<string> {
    const { secret, blobs } = this.#options;
    const id = manifestIdOf(secret, { messageKey: this.#messageKey, manifest });
    const until = this.#until;
    const metadata = { sender: senderKeyOf(secret, senderForm(this.#message.reversePath)), message: this.#messageKey };
    await Promise.all([
      commitContent(blobs, messageBlob(id), { what: 'manifest', content: manifest, metadata, until, signal }),
      this.#putTransaction(signal),
      this.#putPage(signal),
      this.#checkEntries(signal),
    ]);
    return id;
  }

  *#entriesOfLinks(): Iterable<string> {
    const { secret } = this.#options;
    const keys = this.#senders.map((sender) => senderKeyOf(secret, sender));
    for (const [i, token] of this.tokens.entries()) {
      yield fileIndex(this.#message.files[i]!.sha256) + token;
      yield messageIndex(this.#messageKey) + token;
      for (const key of keys) yield senderIndex(key) + token;
    }
  }

  #entries(): string[] {
    const entries = [...this.#entriesOfLinks()];
    return this.page === undefined ? entries : [...entries, messageIndex(this.#messageKey) + pageEntry(this.page)];
  }

  #details({ size, crc32 }: NewFile): LinkDetails {
    return {
      size,
      crc32,
      ...this.#stated(),
      senders: this.#senders,
      ...(this.page !== undefined && { page: this.page }),
    };
  }

  #stated(): Pick<Link, 'from' | 'subject'> {
    const { from, subject } = this.#message;
    return {
      ...(from !== undefined && { from: statedFrom(from) }),
      ...(subject !== undefined && { subject: stated(subject) }),
    };
  }

  get #until() {
    return neededUntil(this.#options.now(), this.#options.expiresAfter);
  }

  async #putTransaction(signal: AbortSignal): Promise<void> {
    const { blobs, secret } = this.#options;
    const { id, content, metadata } = transactionRecord(secret, this.#message, { tokens: this.tokens });
    const name = transactionIndex(this.#messageKey) + id;
    await commitRecord(blobs, name, { what: 'recipients', content, metadata, until: this.#until, signal });
  }

  async #putPage(signal: AbortSignal): Promise<void> {
    if (this.page === undefined) return;
    const { messageIdentity, reversePath } = this.#message;
    const created = this.#links[0]!.created;
    const page: Page = { v: 1, tokens: this.tokens, created, reversePath, messageIdentity, ...this.#stated() };
    const content = Buffer.from(JSON.stringify(page));
    const record = { what: 'page', content, metadata: {}, until: this.#until, signal };
    await commitRecord(this.#options.blobs, pageBlob(this.page), record);
  }

  async #checkEntries(signal: AbortSignal): Promise<void> {
    const request: Request = { what: 'index', signal };
    const states = await Promise.all(this.#entries().map((name) => this.#options.blobs.stat(name, request)));
    if (states.every((state) => state !== undefined)) return;
    throw new Failure('storageFailed', { reason: 'storage: the message was erased while it was stored' });
  }
}
