/**
 * Reads a message as a mail program does, with an independent library: its texts, its files, and the pictures that its
 * HTML shows. Content is hashed as it streams; only texts are held.
 */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { MailParser, type AttachmentStream, type MessageText } from 'mailparser';

export interface SeenFile {
  readonly name: string | undefined;
  readonly type: string;
  /** Decoded bytes. */
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
  /** Part of an HTML text, such as a picture, and not a file for the reader to open. */
  readonly inline: boolean;
}

export interface MailReading {
  /** What the reader sees, of the message and of forwarded messages in it. */
  readonly texts: readonly string[];
  readonly htmls: readonly string[];
  readonly files: readonly SeenFile[];
}

/** How deep forwarded messages are opened. */
const maxDepth = 8;

const parserOptions = {
  checksumAlgo: 'sha256',
  skipImageLinks: true,
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
};

/** @throws the error of the source or of the parser */
export async function readAsMailProgram(message: Readable, depth = 0): Promise<MailReading> {
  const texts: string[] = [];
  const htmls: string[] = [];
  const files: SeenFile[] = [];
  const parser = new MailParser(parserOptions);
  const nested: Promise<void>[] = [];
  parser.on('data', (item: AttachmentStream | MessageText) => {
    if (item.type === 'text') {
      if (item.text !== undefined && item.text !== '') texts.push(item.text);
      if (item.html !== undefined && item.html !== '') htmls.push(item.html);
      return;
    }
    const read = readAttachment(item, depth).then((reading) => {
      texts.push(...reading.texts);
      htmls.push(...reading.htmls);
      files.push(...reading.files);
    });
    nested.push(read);
    // An attachment that cannot be read ends the reading of the message.
    read.catch((error: unknown) => parser.destroy(error instanceof Error ? error : new Error(String(error))));
  });
  const end = once(parser, 'end');
  message.once('error', (error) => parser.destroy(error));
  message.pipe(parser);
  await end;
  await Promise.all(nested);
  return { texts, htmls, files };
}

async function readAttachment(item: AttachmentStream, depth: number): Promise<MailReading> {
  const isMessage = item.contentType === 'message/rfc822' && depth < maxDepth;
  const inner = isMessage ? await readAsMailProgram(item.content, depth + 1) : undefined;
  if (!inner) {
    item.content.resume();
    await once(item.content, 'end');
  }
  item.release?.();
  if (inner) return inner;
  const { filename: name, contentType: type, size = 0, checksum: sha256 = '', related: inline = false } = item;
  return { texts: [], htmls: [], files: [{ name, type, size, sha256, inline }] };
}
