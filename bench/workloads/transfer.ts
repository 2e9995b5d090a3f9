import { attachmentMessage } from '../load/message.ts';
import { sendAll } from '../load/smtp-client.ts';
import type { SmtpSink } from '../load/smtp-sink.ts';
import { type Cost, timed } from '../measure/timed.ts';
import type { Peer } from '../peers/peer.ts';

/** Files of one size through a peer. */
export interface Transfer {
  /** Bytes of each file, decoded. */
  readonly size: number;
  readonly parallel: number;
  readonly count: number;
}

export async function transfer(peer: Pick<Peer, 'port' | 'pids'>, sink: SmtpSink, load: Transfer): Promise<Cost> {
  const before = sink.messages;
  const { count, parallel, size } = load;
  return timed(peer.pids, async () => {
    await sendAll(peer.port, { make: () => attachmentMessage(size), count, parallel });
    await sink.waitForMessages(before + count);
  });
}

/** Enough messages to move this many bytes, and at least one for each sender. */
export function transferOf(bytes: number, { size, parallel }: Pick<Transfer, 'size' | 'parallel'>): Transfer {
  return { size, parallel, count: Math.max(parallel, Math.ceil(bytes / size)) };
}
