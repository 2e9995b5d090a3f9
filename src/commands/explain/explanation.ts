import type { MailReading } from './mail-program.ts';

/** What `explain --json` prints: docs/explain.md describes it. */
export interface Explanation {
  readonly from: string;
  readonly to: readonly ExplainedRecipient[];
  /** Whether the outgoing message differs from the received one. */
  readonly detached: boolean;
  /** Why the whole message stays as it is; null: it does not. */
  readonly reason: string | null;
  readonly bytesBefore: number;
  /** Without the trace fields that every message gets. */
  readonly bytesAfter: number;
  readonly parts: readonly ExplainedPart[];
  readonly notice: ExplainedNotice | null;
  readonly mailProgram: ExplainedReading;
  /** What the service would log about it. */
  readonly log: readonly string[];
}

export interface ExplainedRecipient {
  readonly address: string;
  readonly exempt: boolean;
}

export interface ExplainedPart {
  /** IMAP section number, '' for the message itself. */
  readonly section: string;
  readonly type: string;
  readonly name: string | null;
  /** Decoded bytes; null where the part was not decoded. */
  readonly size: number | null;
  /** Encoded bytes in the message; null for a part that holds other parts. */
  readonly encodedSize: number | null;
  readonly does: 'holds' | 'stays' | 'goes';
  /** Why the part stays: a reason of docs/detaching.md; null for a part that is detached or holds other parts. */
  readonly reason: string | null;
  readonly url: string | null;
  readonly parts: readonly ExplainedPart[];
}

export interface ExplainedNotice {
  /** The notices in the order in which they were written; usually one. */
  readonly texts: readonly string[];
  /** Where links stand in the outgoing message. */
  readonly places: readonly NoticePlace[];
}

export interface NoticePlace {
  readonly section: string;
  readonly type: string;
  /** Line of the decoded text in which the first link stands, from 1. */
  readonly line: number;
}

export interface ExplainedReading {
  /** Why no comparison with a mail program's reading was made; null: it was made. */
  readonly skipped: string | null;
  readonly before: MailReading | null;
  readonly after: MailReading | null;
  readonly differences: readonly string[];
}
