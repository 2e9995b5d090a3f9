/** Puts notices into texts. */
import type { Notice } from '../links/interface.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { smallestEdit, type Edit } from './edits.ts';
import { insertAsUtf8, insertNotice, type Carrier } from './notice/insert.ts';
import type { Position } from './notice/newest-text.ts';
import { SearchBudget } from './notice/search-budget.ts';
import { relabel } from './notice/utf8-body.ts';
import { typeOf, type Place, type Places } from './places.ts';
import type { ReadLeaf, ReadMessage } from './read-message.ts';

/** A longer text is not read into memory and rewritten. */
const maxTextBytes = 512 * 1024;

/** Bytes of all texts of one message that become UTF-8: the manifest holds them as they were. */
const maxRewrittenBytes = 512 * 1024;

export interface TextOptions {
  readonly notice: Notice;
  readonly position: Position;
}

/** `complete`: the notice stands in all of them, and there is no other text that a reader may see instead. */
export interface TextEdits {
  readonly edits: readonly Edit[];
  readonly complete: boolean;
}

interface Paged {
  readonly page: string | undefined;
}

export class TextEditor {
  readonly #message: ReadMessage;
  readonly #options: TextOptions;
  readonly #budget = new SearchBudget();
  #rewritten = 0;

  constructor(message: ReadMessage, options: TextOptions) {
    this.#message = message;
    this.#options = options;
  }

  /** `page`: address of the page with all these files; it stands after the last of them. */
  async insert({ places, complete }: Places, page: string | undefined): Promise<TextEdits> {
    const byText = new Map<ReadLeaf, Place[]>();
    for (const place of places) byText.set(place.text, [...(byText.get(place.text) ?? []), place]);
    const edits: Edit[] = [];
    for (const [text, all] of byText) {
      const edit = await this.#edit(text, all, { page });
      if (edit) edits.push(edit);
    }
    return { edits, complete: complete && edits.length === byText.size };
  }

  async #edit({ leaf, end }: ReadLeaf, places: readonly Place[], { page }: Paged): Promise<Edit | undefined> {
    if (end - leaf.bodyAt > maxTextBytes) return undefined;
    const body = await this.#message.bytes(leaf.bodyAt, end);
    const before: Carrier = {
      type: typeOf(leaf) === 'text/html' ? 'text/html' : 'text/plain',
      params: leaf.head.params,
      transferEncoding: leaf.head.encoding,
      body,
    };
    const after = this.#write(before, places, { page });
    if (after === undefined) return undefined;
    if (after.transferEncoding === before.transferEncoding && after.params === before.params)
      return smallestEdit(leaf.bodyAt, { before: body, after: after.body });
    const original = await this.#message.bytes(leaf.headerAt, leaf.bodyAt);
    const header = HeaderBlock.parse(original.subarray(0, Math.max(0, original.length - emptyLine.length)));
    const changed = relabel(header, after.transferEncoding);
    if (changed === undefined || leaf.bodyAt === 0) return undefined;
    this.#rewritten += body.length;
    return { from: leaf.headerAt, to: end, insert: Buffer.concat([changed, emptyLine, after.body]) };
  }

  #write(before: Carrier, places: readonly Place[], { page }: Paged): Carrier | undefined {
    const { notice, position } = this.#options;
    let carrier = before;
    for (const { told, isAbove, isLast } of places) {
      const items = told.map(({ item }) => item);
      const content = notice.write({ items, page: isLast ? page : undefined, isContinued: !isLast });
      const where = { position: isAbove ? 'top' : position, budget: this.#budget } as const;
      const body = insertNotice(carrier, content, where);
      if (body === undefined) {
        const room = maxRewrittenBytes - this.#rewritten;
        const rewritten = carrier.body.length <= room ? insertAsUtf8(carrier, content, where) : undefined;
        if (rewritten === undefined) return undefined;
        carrier = { ...carrier, ...rewritten, params: new Map([...carrier.params, ['charset', 'utf-8']]) };
      } else carrier = { ...carrier, body };
    }
    return carrier;
  }
}

const emptyLine = Buffer.from('\r\n');
