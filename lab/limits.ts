import { loadConfig } from '../src/config/load-config.ts';
import { run } from '../test/harness/process.ts';
import { bytes } from './terminal.ts';

/** What bounds the size of a message, and where that is set. */
export interface SizeLimit {
  readonly bytes: number;
  readonly key: string;
}

/** Bytes that are left for fields, texts and delimiters. */
const restOfMessage = 8192;
/** A line of base64 holds 57 bytes in 78, its end included. */
const encodedSize = (size: number): number => Math.ceil((size / 57) * 78);

/** The lower one of the limits that the first Postfix and Detach MTA have. */
export async function sizeLimit(postfix: string, detach: string): Promise<SizeLimit> {
  const limit = Number(await run('postconf', ['-c', postfix, '-h', 'message_size_limit']));
  const { inbound } = loadConfig({ file: detach });
  const first = { bytes: limit, key: `message_size_limit of Postfix, ${postfix}/main.cf` };
  const second = { bytes: inbound.maxMessageSize, key: `inbound.maxMessageSize of Detach MTA, ${detach}` };
  return limit > 0 && limit <= inbound.maxMessageSize ? first : second;
}

/** @throws Error that names the limit, when a file makes a message above it */
export function assertFits(size: number, limit: SizeLimit): void {
  if (encodedSize(size) + restOfMessage <= limit.bytes) return;
  const most = Math.floor(((limit.bytes - restOfMessage) / 78) * 57);
  throw new Error(
    `the file has ${bytes(size)}, and mail carries it as ${bytes(encodedSize(size))} of base64.\n` +
      `Messages may have ${bytes(limit.bytes)}: ${limit.key}.\nA file may have ${bytes(most)}.`,
  );
}
