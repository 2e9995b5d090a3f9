import { linkUrl, type NoticeItem } from '../links/interface.ts';
import type { Committed } from './commit-files.ts';
import { applyEdits, type Edit } from './edits.ts';
import { lengthOf, type OutPiece } from './pieces.ts';
import type { ReadMessage } from './read-message.ts';
import { replaceParts, type ReplaceOptions } from './replacement.ts';

export interface Rewritten {
  readonly header: Buffer;
  readonly pieces: readonly OutPiece[];
  /** The edits that turn the received message into the pieces. */
  readonly edits: readonly Edit[];
  /** Bytes of header and body, minus those of the received message. */
  readonly growth: number;
}

export interface RewriteOptions extends ReplaceOptions {
  readonly baseUrl: string;
}

/** The message without the files that are stored now, and with a notice that tells of them. */
export async function rewriteMessage(
  message: ReadMessage,
  files: readonly Committed[],
  options: RewriteOptions,
): Promise<Rewritten> {
  const detached = files.map((file) => ({ part: file.part, item: itemOf(file, options.baseUrl) }));
  const { header, edits } = await replaceParts(message, detached, options);
  const pieces = applyEdits(message, edits);
  const growth = header.length - message.header.raw.length + lengthOf(pieces) - message.length;
  return { header, pieces, edits, growth };
}

function itemOf({ token, link }: Committed, baseUrl: string): NoticeItem {
  const { name, type, size, expires } = link;
  return { name, type, size, url: linkUrl(baseUrl, token), expires: expires === null ? undefined : new Date(expires) };
}
