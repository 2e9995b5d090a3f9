import type { FailureName } from '../smtp/failures.ts';

export { RepeatedLines } from './repeated-lines.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** One JSON line per event on standard output; `event` names it in kebab-case, as in `loop-refused`. */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
}

/** What is asked of storage. */
export type StorageOperation = 'look' | 'read' | 'create' | 'change' | 'delete';

/** What became of a recipient: the class of its last reply. */
export type Verdict = 'accepted' | 'deferred' | 'refused';

export type LinkRefusal = 'unknown' | 'expired' | 'revoked' | 'missing';

export interface StoredFigures {
  readonly files: number;
  readonly bytes: number;
  readonly links: Readonly<Record<'living' | 'expired' | 'revoked', number>>;
  /** When it was counted: ms since 1970. */
  readonly at: number;
}

/** What is counted of readers. */
export type ReaderMeter = Pick<Meter, 'fileCorrupt' | 'readerBusy' | 'page' | 'download' | 'linkRefused'>;

/** Everything that is counted, by name. Labels are closed sets, never something out of a message. */
export interface Meter {
  transaction(outcome: 'delivered' | 'partial' | 'deferred' | 'refused' | 'lost', seconds: number): void;
  bytes(direction: 'in' | 'out', count: number): void;
  /** Recipients of a transaction, by their last reply. */
  recipients(verdict: Verdict, count: number): void;
  /** A transaction that the client is to try again: a failure of ours, or the next hop's own words. */
  deferred(reason: FailureName | 'nextHop'): void;
  /** Bytes that mailboxes do not have to hold: what was taken out, for each recipient. */
  saved(bytes: number): void;
  storageRequest(
    operation: StorageOperation,
    answer: { readonly result: 'ok' | 'failed'; readonly seconds: number },
  ): void;
  fileDetached(result: 'stored' | 'present', bytes: number): void;
  storageFailure(): void;
  /** A file whose stored bytes are not those that were stored. */
  fileCorrupt(): void;
  /** A reader who was told to try again later. */
  readerBusy(): void;
  /** A page that shows a file, or the files of a message. */
  page(): void;
  /** An answer with a file, a part of one or an archive; of a redirect no bytes go through us. */
  download(delivery: 'stream' | 'archive' | 'redirect', bytes: number): void;
  /** A request answered 404 or 410. */
  linkRefused(reason: LinkRefusal): void;
  /** A link that did not exist before. */
  linkMade(): void;
  /** What the last sweep found in storage. */
  stored(found: StoredFigures): void;
  /** `domain` appears in the log line only. The labels of the metric are cluster and fence. */
  loop(fence: 'stamp' | 'count' | 'mirror' | 'chain'): void;
  clients(open: number): void;
  nextHopSessions(open: number, idle: number): void;
  spool(bytes: number): void;
}
