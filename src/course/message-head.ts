import type { Client } from '../inbound/interface.ts';
import type { Passage } from '../loopguard/interface.ts';
import type { HeaderBlock } from '../message/header-block.ts';
import { traceBoundary } from '../message/trace-boundary.ts';
import type { RelayOptions } from './relay.ts';

export interface MessageHead {
  readonly client: Client;
  /** Of the transaction. */
  readonly id: string;
  /** As it came. */
  readonly header: HeaderBlock;
  /** What it has become. */
  readonly rewritten: Buffer;
  readonly envelope: Omit<Passage, 'now'>;
}

/**
 * Trace fields on top (RFC 5321 section 4.4), then the message's own header. The fields have the time at which they are
 * written.
 */
export function* messageHead(
  { client, id, header, rewritten, envelope }: MessageHead,
  { guard, hostname }: Pick<RelayOptions, 'guard' | 'hostname'>,
): Iterable<Buffer> {
  const now = Date.now();
  const { helo, address, protocol } = client;
  const received = guard.received({ helo, address, protocol, hostname, id }, now);
  const boundary = traceBoundary(header);
  const stamp = guard.stamp(boundary.header, { ...envelope, now });
  yield Buffer.from(received + stamp + boundary.text, 'latin1');
  yield rewritten;
}
