import type { Config } from '../../config/config.ts';
import { DotReader } from '../../inbound/smtp/dot-reader.ts';
import { DotStuffer } from '../../smtp/dot-stuffer.ts';
import { failureReply, type FailureName } from '../../smtp/failures.ts';
import type { MessageFile } from './message-file.ts';

/** The reply with which the front door refuses such bytes, whatever the message says; undefined: it takes them. */
export async function refusalOf(message: MessageFile, inbound: Config['inbound']): Promise<string | undefined> {
  // A Milter is shown what Postfix has taken already.
  if (inbound.protocol === 'milter') return undefined;
  if (message.size > inbound.maxMessageSize) return said('messageTooBig');
  const stuffer = new DotStuffer();
  const reader = new DotReader();
  for await (const chunk of message.read()) reader.feed(stuffer.push(chunk));
  reader.feed(stuffer.end());
  return reader.smuggling ? said('bareLineFeed') : undefined;
}

function said(name: FailureName): string {
  const { code, lines } = failureReply(name);
  return `${code} ${lines.join(' ')}`;
}
