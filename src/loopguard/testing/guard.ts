import assert from 'node:assert/strict';
import { HeaderBlock } from '../../message/header-block.ts';
import { createGuard, type GuardOptions } from '../guard.ts';
import type { Guard } from '../interface.ts';

export const key = (id: string, fill: number): { id: string; secret: Buffer } => ({
  id,
  secret: Buffer.alloc(32, fill),
});
export const guardWith = (options: Partial<GuardOptions> = {}): Guard =>
  createGuard({ cluster: 'lab', keys: [key('k1', 1)], maxPasses: 1, hopLimit: 50, ...options });

export const sampleTime = Date.UTC(2026, 0, 15, 12);
export const block = (text: string): HeaderBlock =>
  HeaderBlock.parse(Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1'));
export const onTop = (field: string, header: HeaderBlock): HeaderBlock =>
  HeaderBlock.parse(Buffer.concat([Buffer.from(field, 'latin1'), header.raw]));

export const sampleMessage = block(`Message-ID: <1@a.example>
Date: Thu, 15 Jan 2026 12:00:00 +0000
From: Alice <alice@a.example>
To: u@b.example
Subject: hello
`);

/** Which of these recipients loop. */
export function looping(
  guard: Guard,
  header: HeaderBlock,
  recipients: readonly string[],
  { at = sampleTime, from = 'alice@a.example' } = {},
): readonly boolean[] {
  const inspection = guard.inspect(header, { recipients, reversePath: from, now: at });
  assert.equal(inspection.kind, 'pass');
  return inspection.looping;
}

/** Header with a stamp for these recipients. */
export function stamped(
  guard: Guard,
  recipients: readonly string[],
  { header = sampleMessage, at = sampleTime, from = 'alice@a.example' } = {},
): HeaderBlock {
  return onTop(guard.stamp(header, { recipients, reversePath: from, now: at }), header);
}
