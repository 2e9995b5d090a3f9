/** Where the notice goes, and what becomes of the places of the detached parts. */
import type { Notice, NoticeItem } from '../links/interface.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { collect, smallestEdit, type Edit } from './edits.ts';
import type { Collector, FilePart, ReadLeaf } from './collector.ts';
import { containers, effectiveType, type Container, type Leaf } from './mime/structure.ts';
import { insertNotice } from './notice/insert.ts';
import { noticePart } from './notice/part.ts';
import type { Tape } from './spool/tape.ts';

/** A longer text is not read into memory to be written anew. */
const maxTextBytes = 512 * 1024;

export interface Detached {
  readonly part: FilePart;
  readonly item: NoticeItem;
}

export interface Replacement {
  readonly header: Buffer;
  readonly edits: readonly Edit[];
}

export async function replaceParts(
  detached: readonly Detached[],
  message: {
    readonly header: HeaderBlock;
    readonly collector: Collector;
    readonly tape: Tape;
    readonly notice: Notice;
  },
): Promise<Replacement> {
  const { collector, notice, tape } = message;
  const items = detached.map(({ item }) => item);
  const inTexts = await noticeInTexts(choosePlaces(collector.texts), render(notice, items), { collector, tape });
  const edits: Edit[] = [...(inTexts ?? [])];
  let header = message.header.raw;
  const last = detached.at(-1);
  for (const group of byContainer(detached)) {
    const { container } = group[0]!.part.leaf;
    const standIn =
      inTexts === undefined && group.includes(last!) ? last : keepsNoPart(container, group) ? group.at(-1) : undefined;
    for (const { part } of group) {
      if (part !== standIn?.part) {
        edits.push({ from: part.leaf.delimiterAt, to: part.next, insert: Buffer.alloc(0) });
        continue;
      }
      const told = inTexts === undefined && standIn === last ? items : group.map(({ item }) => item);
      const replacement = noticePart(render(notice, told));
      const { headerAt, bodyAt } = part.leaf;
      if (bodyAt === 0) {
        header = withContentFields(message.header, replacement.header);
        edits.push({ from: 0, to: part.end, insert: replacement.body });
      } else {
        const before = HeaderBlock.parse(await collect(collector.slice(headerAt, bodyAt - 2), tape));
        const fields =
          container.kind === 'message' ? withContentFields(before, replacement.header) : replacement.header;
        const insert = Buffer.concat([fields, Buffer.from('\r\n'), replacement.body]);
        edits.push({ from: headerAt, to: part.end, insert });
      }
    }
  }
  return { header, edits: edits.sort((a, b) => a.from - b.from) };
}

interface Rendered {
  readonly text: string;
  readonly html: string;
}

const render = (notice: Notice, items: readonly NoticeItem[]): Rendered => ({
  text: notice.text(items),
  html: notice.html(items),
});

/**
 * The first text that a reader sees, and its alternative in the other form: of the message itself rather than of
 * one forwarded in it.
 */
function choosePlaces(texts: readonly ReadLeaf[]): ReadLeaf[] {
  const depth = (text: ReadLeaf): number => containers(text.leaf).filter(({ kind }) => kind === 'message').length;
  const least = Math.min(...texts.map(depth));
  const own = texts.filter((text) => depth(text) === least);
  const [first] = own;
  if (!first) return [];
  const alternatives = containers(first.leaf).filter(({ type }) => type === 'multipart/alternative');
  const type = typeOf(first.leaf);
  const other = own.find(
    ({ leaf }) => typeOf(leaf) !== type && containers(leaf).some((container) => alternatives.includes(container)),
  );
  return other ? [first, other] : [first];
}

const typeOf = (leaf: Leaf): string => effectiveType(leaf.head, leaf.container);

/** Undefined when a reader could see a text that carries no notice. */
async function noticeInTexts(
  places: readonly ReadLeaf[],
  notice: Rendered,
  { collector, tape }: { readonly collector: Collector; readonly tape: Tape },
): Promise<Edit[] | undefined> {
  const edits: Edit[] = [];
  for (const { leaf, end } of places) {
    if (end - leaf.bodyAt > maxTextBytes) return undefined;
    const body = await collect(collector.slice(leaf.bodyAt, end), tape);
    const carrier = {
      type: typeOf(leaf) === 'text/html' ? 'text/html' : 'text/plain',
      params: leaf.head.params,
      transferEncoding: leaf.head.encoding,
      body,
    } as const;
    const after = insertNotice(carrier, notice);
    if (!after) return undefined;
    edits.push(smallestEdit(leaf.bodyAt, body, after));
  }
  return edits.length > 0 ? edits : undefined;
}

function byContainer(detached: readonly Detached[]): Detached[][] {
  const groups = new Map<Container, Detached[]>();
  for (const entry of detached) {
    const { container } = entry.part.leaf;
    const group = groups.get(container);
    if (group) group.push(entry);
    else groups.set(container, [entry]);
  }
  return [...groups.values()];
}

/** RFC 2046 section 5.1.1: a multipart has at least one part, and a message has its body. */
const keepsNoPart = (container: Container, removed: readonly Detached[]): boolean => removed.length === container.parts;

/** The header with these fields in the place of its own Content- fields. */
function withContentFields(header: HeaderBlock, content: Buffer): Buffer {
  const isContent = (key: string): boolean => key.startsWith('content-');
  const first = header.fields.findIndex(({ key }) => isContent(key));
  const raws = header.fields.flatMap(({ key, raw }, i) => (i === first ? [content] : isContent(key) ? [] : [raw]));
  return Buffer.concat(first < 0 ? [...raws, content] : raws);
}
