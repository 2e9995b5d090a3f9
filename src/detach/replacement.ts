/** Where the notice goes, and what becomes of the places of the detached parts. */
import type { Notice, NoticeItem } from '../links/interface.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { collect, smallestEdit, type Edit } from './edits.ts';
import type { MessageReader, FilePart, ReadLeaf } from './message-reader.ts';
import { containers, effectiveType, type Container, type Leaf } from './mime/structure.ts';
import { insertNotice } from './notice/insert.ts';
import { noticePart } from './notice/part.ts';
import type { Tape } from './spool/tape.ts';

/** As the scanner reads them. */
const maxDelimiterLine = 1024;

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
    readonly collector: MessageReader;
    readonly tape: Tape;
    readonly notice: Notice;
  },
): Promise<Replacement> {
  const { collector, notice, tape } = message;
  const items = detached.map(({ item }) => item);
  const inTexts = await noticeInTexts(choosePlaces(collector.texts, detached), render(notice, items), {
    collector,
    tape,
  });
  const last = chooseStandIn(detached);
  // A part of its own that a program may hide is told of in the texts as well, where that can be.
  const edits: Edit[] = inTexts.complete || (last && isForm(last.part.leaf)) ? [...inTexts.edits] : [];
  let header = message.header.raw;
  for (const group of byContainer(detached)) {
    const { container } = group[0]!.part.leaf;
    const standIn =
      !inTexts.complete && group.includes(last!) ? last : keepsNoPart(container, group) ? group.at(-1) : undefined;
    for (const { part } of group) {
      if (part !== standIn?.part) {
        edits.push(await removal(part, { collector, tape }));
        continue;
      }
      const told = !inTexts.complete && standIn === last ? items : group.map(({ item }) => item);
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

/** Texts that a notice goes into. `complete`: whoever reads the message sees one of them. */
interface Places {
  readonly texts: readonly ReadLeaf[];
  readonly complete: boolean;
}

const noPlace: Places = { texts: [], complete: false };

/**
 * The first text that a reader sees, and what stands for it in other forms: of the message itself rather than of one
 * forwarded in it. None where that would put words into the mouth of another one than who sent the files.
 */
function choosePlaces(texts: readonly ReadLeaf[], detached: readonly Detached[]): Places {
  const depth = (text: ReadLeaf): number => messagesAround(text.leaf).length;
  const least = Math.min(...texts.map(depth));
  const own = texts.filter((text) => depth(text) === least);
  const message = own[0] && messagesAround(own[0].leaf)[0];
  const all = message !== undefined && detached.every(({ part }) => containers(part.leaf).includes(message));
  return all ? firstIn(own, message) : noPlace;
}

/** The last file of the message itself, or else of what is forwarded in it, and best where no program hides it. */
function chooseStandIn(detached: readonly Detached[]): Detached | undefined {
  const ranks = detached.map(({ part }) => messagesAround(part.leaf).length * 2 + (isForm(part.leaf) ? 1 : 0));
  return detached[ranks.lastIndexOf(Math.min(...ranks))];
}

/** Whether it stands in one of several forms, of which a program shows one. */
const isForm = (leaf: Leaf): boolean => containers(leaf).some(({ type }) => type === 'multipart/alternative');

/** The innermost comes first. */
const messagesAround = (leaf: Leaf): Container[] => containers(leaf).filter(({ kind }) => kind === 'message');

/** The first text in a container, in each form that it has there. */
function firstIn(texts: readonly ReadLeaf[], scope: Container): Places {
  const first = texts.find(({ leaf }) => canCarry(leaf));
  if (!first) return noPlace;
  const around = containers(first.leaf);
  const alternative = around.slice(0, around.indexOf(scope)).findLast(({ type }) => type === 'multipart/alternative');
  if (!alternative) return { texts: [first], complete: true };
  const forms = new Map<string, ReadLeaf[]>();
  for (const text of texts.filter(({ leaf }) => containers(leaf).includes(alternative))) {
    const number = childOf(alternative, text.leaf);
    forms.set(number, [...(forms.get(number) ?? []), text]);
  }
  const places = [...forms.values()].map((form) => firstIn(form, alternative));
  return { texts: places.flatMap((place) => place.texts), complete: places.every(({ complete }) => complete) };
}

/** The number of the part of a container that a leaf is, or stands in. */
const childOf = ({ section }: Container, leaf: Leaf): string =>
  leaf.section.slice(section === '' ? 0 : section.length + 1).split('.', 1)[0]!;

const canCarry = (leaf: Leaf): boolean => ['text/plain', 'text/html'].includes(typeOf(leaf));

const typeOf = (leaf: Leaf): string => effectiveType(leaf.head, leaf.container);

/** What puts the notice into these texts. `complete`: into all of them, and there is no other that a reader may see. */
async function noticeInTexts(
  places: Places,
  notice: Rendered,
  { collector, tape }: { readonly collector: MessageReader; readonly tape: Tape },
): Promise<{ readonly edits: readonly Edit[]; readonly complete: boolean }> {
  const edits: Edit[] = [];
  for (const { leaf, end } of places.texts) {
    if (end - leaf.bodyAt > maxTextBytes) continue;
    const body = await collect(collector.slice(leaf.bodyAt, end), tape);
    const carrier = {
      type: typeOf(leaf) === 'text/html' ? 'text/html' : 'text/plain',
      params: leaf.head.params,
      transferEncoding: leaf.head.encoding,
      body,
    } as const;
    const after = insertNotice(carrier, notice);
    if (after) edits.push(smallestEdit(leaf.bodyAt, body, after));
  }
  return { edits, complete: places.complete && edits.length === places.texts.length };
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

/**
 * A part goes with the delimiter before it. Where no delimiter of its multipart follows, the multipart is closed instead:
 * the line end before the delimiter would become part of what stands there (RFC 2046 section 5.1.1).
 */
async function removal(
  { leaf: { delimiterAt, headerAt }, next }: FilePart,
  { collector, tape }: { readonly collector: MessageReader; readonly tape: Tape },
): Promise<Edit> {
  const text = async (from: number, to: number): Promise<string> =>
    (await collect(collector.slice(from, to), tape)).toString('latin1');
  const delimiter = (await text(delimiterAt, headerAt)).trimEnd().split('\n').at(-1)!;
  const fileAt = collector.pieces.find(({ kind, at }) => kind === 'file' && at >= next)?.at ?? collector.length;
  const following = await text(next, Math.min(fileAt, next + maxDelimiterLine));
  const line = following.split('\n', 1)[0]!.replace(/[ \t\r]+$/, '');
  const isClosed = line === delimiter || line === `${delimiter}--`;
  return { from: delimiterAt, to: next, insert: Buffer.from(isClosed ? '' : `${delimiter}--\r\n`, 'latin1') };
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
