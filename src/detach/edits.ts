/** Builds the outgoing message from the received one and the edits that replace parts of it. */
import type { OutPiece } from './pieces.ts';
import type { ReadMessage } from './read-message.ts';

/** This stretch of the message as received is replaced. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly insert: Buffer;
}

/** The outgoing body. `edits` are in order and do not overlap. */
export function applyEdits(message: ReadMessage, edits: readonly Edit[]): OutPiece[] {
  const out: OutPiece[] = [];
  let at = 0;
  for (const { from, to, insert } of edits) {
    out.push(...message.slice(at, from));
    if (insert.length > 0) out.push({ kind: 'bytes', bytes: insert });
    at = to;
  }
  out.push(...message.slice(at, message.length));
  return out;
}

interface Texts {
  readonly before: Buffer;
  readonly after: Buffer;
}

/** The smallest edit that turns one text into the other. */
export function smallestEdit(at: number, { before, after }: Texts): Edit {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { from: at + head, to: at + before.length - tail, insert: after.subarray(head, after.length - tail) };
}
