import { openBody } from '../../detach/notice/encoded-body.ts';
import { readPartHead } from '../../detach/mime/part-head.ts';
import { MimeScanner, type Sink } from '../../detach/mime/scanner.ts';
import { effectiveType, type Leaf } from '../../detach/mime/structure.ts';
import { receiveHeader } from '../../detach/receive-header.ts';
import type { NoticePlace } from './explanation.ts';

/** No notice is written into a longer text. */
const maxTextBytes = 1024 * 1024;

/**
 * Finds where links stand in the outgoing message. It searches the finished message, independently of how the notice
 * was placed.
 */
export async function findNotice(
  message: AsyncIterable<Buffer>,
  { urls, maxDepth }: { readonly urls: readonly string[]; readonly maxDepth: number },
): Promise<NoticePlace[]> {
  const source = message[Symbol.asyncIterator]();
  const { header, rest } = await receiveHeader(source);
  const search = new LinkSearch(urls);
  const scanner = new MimeScanner(readPartHead(header), search, { maxDepth });
  scanner.push(rest.subarray('\r\n'.length));
  for (let next = await source.next(); next.done !== true; next = await source.next()) scanner.push(next.value);
  scanner.end();
  return search.places;
}

class LinkSearch implements Sink {
  readonly places: NoticePlace[] = [];
  readonly #urls: readonly string[];
  #leaf: Leaf | undefined;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  literal(): void {
    // The structure holds no notice.
  }

  leafIsAmbiguous(): void {
    // An ambiguous leaf is searched like any other.
  }

  tooMuch(): void {
    // A message with too much structure passes whole and has no notice.
  }

  leafBegins(leaf: Leaf): void {
    this.#leaf = leaf;
    this.#chunks = [];
    this.#length = 0;
  }

  leafData(bytes: Buffer): void {
    if (!this.#isText() || this.#length >= maxTextBytes) return;
    this.#chunks.push(Buffer.from(bytes));
    this.#length += bytes.length;
  }

  leafEnds(): void {
    const { head, section, container } = this.#leaf!;
    const body = this.#isText() ? openBody(head.encoding, Buffer.concat(this.#chunks)) : undefined;
    // In UTF-16 each character of a link has a zero byte.
    const text = body?.bytes.toString('latin1').replaceAll('\0', '') ?? '';
    const first = Math.min(...this.#urls.map((url) => text.indexOf(url)).filter((at) => at >= 0));
    if (first === Infinity) return;
    const line = text.slice(0, first).split('\n').length;
    this.places.push({ section, type: effectiveType(head, container), line });
  }

  #isText(): boolean {
    const { head, container } = this.#leaf!;
    return effectiveType(head, container).startsWith('text/');
  }
}
