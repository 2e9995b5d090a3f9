import type { MailReading } from './mail-program.ts';

/** What `explain --json` prints: docs/explain.md describes it. */
export interface Explanation {
  readonly from: string;
  readonly to: readonly ExplainedRecipient[];
  /** Whether the message that goes on is another one. */
  readonly detached: boolean;
  /** Why the message as a whole stays as it is, where that is so. */
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
  /** As it stands in the message; null for what holds other parts. */
  readonly encodedSize: number | null;
  readonly does: 'holds' | 'stays' | 'goes';
  /** A reason of docs/detaching.md; null for what goes or holds. */
  readonly reason: string | null;
  readonly url: string | null;
  readonly parts: readonly ExplainedPart[];
}

export interface ExplainedNotice {
  /** In the order in which they were written; usually one. */
  readonly texts: readonly string[];
  /** Where links stand in the message that goes on. */
  readonly places: readonly NoticePlace[];
}

export interface NoticePlace {
  readonly section: string;
  readonly type: string;
  /** Line of the decoded text in which the first link stands, from 1. */
  readonly line: number;
}

export interface ExplainedReading {
  /** Why a mail program's reading was not compared; null: it was. */
  readonly skipped: string | null;
  readonly before: MailReading | null;
  readonly after: MailReading | null;
  readonly differences: readonly string[];
}
