import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { LineEnds } from '../../detach/restore/line-ends.ts';
import { CommandError, ExitStatus } from '../exit-status.ts';

/** A message on disk, in CRLF form: it is read several times, and may be larger than memory. */
export class MessageFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;

  private constructor(path: string, size: number) {
    this.path = path;
    this.size = size;
  }

  /** A file that already is in CRLF form. */
  static async at(path: string): Promise<MessageFile> {
    return new MessageFile(path, (await stat(path)).size);
  }

  /** Writes the message from a source with CRLF or LF. @throws CommandError when the source is empty */
  static async write(path: string, source: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<MessageFile> {
    const lineEnds = new LineEnds();
    const file = await open(path, 'w', 0o600);
    let size = 0;
    try {
      for await (const chunk of source) {
        const bytes = lineEnds.convert(chunk);
        await file.writeFile(bytes);
        size += bytes.length;
      }
    } finally {
      await file.close();
    }
    if (size === 0) throw new CommandError(ExitStatus.data, 'there is no message on standard input');
    return new MessageFile(path, size);
  }

  read(): Readable & AsyncIterable<Buffer> {
    return createReadStream(this.path, { highWaterMark: 256 * 1024 });
  }
}
