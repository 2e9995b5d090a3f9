import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { md5Bytes } from '../../runtime/hashing/hash-thread.ts';
import type { FileContent, Link, NewMessage, Store } from '../interface.ts';

export interface TestFile {
  readonly bytes: Buffer;
  readonly name?: string;
  readonly type?: string;
}

/** A message as a test describes it; the rest is as usual. */
export interface TestMessage extends Partial<Omit<NewMessage, 'files'>> {
  readonly files: readonly TestFile[];
  readonly manifest?: Buffer;
}

export interface StoredMessage {
  readonly tokens: readonly string[];
  readonly links: readonly Link[];
  readonly page: string | undefined;
  readonly manifestId: string;
}

/** A file whose bytes are in memory; `opened` counts how often it was read. */
export function fileOf(bytes: Buffer): FileContent & { opened: number } {
  const md5 = [...slices(bytes, md5Bytes)].map((part) => createHash('md5').update(part).digest('base64'));
  return {
    md5: md5.length > 0 ? md5 : [createHash('md5').digest('base64')],
    sha256: createHash('sha256').update(bytes).digest('hex'),
    crc32: crc32(bytes),
    size: bytes.length,
    opened: 0,
    open(from, to) {
      this.opened++;
      return Readable.from(slices(bytes.subarray(from, to)));
    },
  };
}

export function* slices(bytes: Buffer, size = 65_536): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Does what the relay does with a message: index, files, links, and the rest. */
export async function storeMessage(
  store: Store,
  message: TestMessage,
  signal = new AbortController().signal,
): Promise<StoredMessage> {
  const contents = message.files.map(({ bytes }) => fileOf(bytes));
  const { manifest = Buffer.from(`manifest of ${JSON.stringify(message.messageIdentity)}`), ...stated } = message;
  const records = await store.openMessage(
    {
      messageIdentity: '<1@example.com>',
      reversePath: 'a@example.com',
      recipients: ['b@example.net'],
      from: 'Anna <a@example.com>',
      subject: undefined,
      ...stated,
      files: message.files.map(({ name = 'plan é.pdf', type = 'application/pdf' }, i) => {
        const { sha256, size, crc32 } = contents[i]!;
        return { partNumber: String(i + 2), name, type, sha256, size, crc32 };
      }),
    },
    signal,
  );
  const links: Link[] = [];
  for (const [i, content] of contents.entries()) {
    await store.putFile(content, signal);
    links.push(await records.putLink(i, signal));
  }
  const manifestId = await records.finish(manifest, signal);
  return { tokens: records.tokens, links, page: records.page, manifestId };
}
