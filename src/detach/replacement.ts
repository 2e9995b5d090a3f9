/** Decides where the notice goes, and what replaces the detached parts. */
import type { NoticeTexts } from '../links/interface.ts';
import { HeaderBlock } from '../message/header-block.ts';
import type { Edit } from './edits.ts';
import type { Container } from './mime/structure.ts';
import { noticeBody, noticePart } from './notice/part.ts';
import { choosePlaces, isForm, messageOf, type Detached } from './places.ts';
import type { FilePart, ReadMessage } from './read-message.ts';
import { TextEditor, type TextOptions } from './text-edits.ts';

/** As the scanner reads them. */
const maxDelimiterLine = 1024;

export interface Replacement {
  readonly header: Buffer;
  readonly edits: readonly Edit[];
}

export interface ReplaceOptions extends TextOptions {
  /** Address of the page with all files of the message; undefined: there is none. */
  readonly page: string | undefined;
}

export async function replaceParts(
  message: ReadMessage,
  detached: readonly Detached[],
  options: ReplaceOptions,
): Promise<Replacement> {
  const { edits, standIns } = await tell(message, detached, options);
  const all: Edit[] = [...edits];
  let header = message.header.raw;
  for (const group of byContainer(detached)) {
    const standIn = group.find((entry) => standIns.has(entry)) ?? (keepsNoPart(group) ? group.at(-1) : undefined);
    for (const entry of group) {
      if (entry !== standIn) all.push(await removal(message, entry.part));
      else {
        const told = standIns.get(entry) ?? group;
        const page = pageOf(told, detached, options);
        const content = options.notice.write({ items: told.map(({ item }) => item), page });
        const replaced = await noticeFor(message, entry.part, { content, fileName: options.notice.fileName });
        header = replaced.header ?? header;
        all.push(replaced.edit);
      }
    }
  }
  return { header, edits: all.sort((a, b) => a.from - b.from) };
}

/** Only a notice that tells of all files links to their page: a forwarded message must not reveal the others. */
const pageOf = (told: readonly Detached[], all: readonly Detached[], { page }: ReplaceOptions): string | undefined =>
  told.length === all.length ? page : undefined;

interface Told {
  readonly edits: readonly Edit[];
  /** Files that are replaced by a notice part, and the files which that notice tells of. */
  readonly standIns: ReadonlyMap<Detached, readonly Detached[]>;
}

/**
 * The message tells of all its files, and each forwarded message in it tells of its own files, since it may be opened
 * alone. If a text that a reader may see cannot carry the notice, a part in the place of a file does too. If the message
 * has no file of its own either, there is no such part.
 */
async function tell(message: ReadMessage, detached: readonly Detached[], options: ReplaceOptions): Promise<Told> {
  const editor = new TextEditor(message, options);
  const edits: Edit[] = [];
  const standIns = new Map<Detached, readonly Detached[]>();
  const outermost = outermostMessage(detached);
  for (const scope of new Set([outermost, ...detached.map(({ part }) => messageOf(part.leaf))])) {
    const own = detached.filter(({ part }) => messageOf(part.leaf) === scope);
    const told = scope === outermost ? detached : own;
    const page = pageOf(told, detached, options);
    const mayDivide = page === undefined || told.length <= options.notice.maxLinks;
    const inTexts = await editor.insert(choosePlaces(message.texts, told, { message: scope, mayDivide }), page);
    const last = inTexts.complete ? undefined : chooseStandIn(own);
    if (last !== undefined) standIns.set(last, told);
    edits.push(...inTexts.edits);
  }
  return { edits, standIns };
}

function outermostMessage(detached: readonly Detached[]): Container {
  let container: Container = detached[0]!.part.leaf.container;
  while (container.parent) container = container.parent;
  return container;
}

/** Chooses the last file, if possible one that no program hides. */
const chooseStandIn = (own: readonly Detached[]): Detached | undefined =>
  own.findLast(({ part }) => !isForm(part.leaf)) ?? own.at(-1);

interface Replaced {
  readonly edit: Edit;
  readonly header?: Buffer;
}

/** A notice in the place of a file. */
async function noticeFor(
  message: ReadMessage,
  part: FilePart,
  { content, fileName }: { readonly content: NoticeTexts; readonly fileName: string },
): Promise<Replaced> {
  const { headerAt, bodyAt, container } = part.leaf;
  const isBody = container.kind === 'message';
  const replacement = isBody ? noticeBody(content) : noticePart(content, fileName);
  if (bodyAt === 0)
    return {
      header: withContentFields(message.header, replacement.header),
      edit: { from: 0, to: part.end, insert: replacement.body },
    };
  const before = HeaderBlock.parse(await message.bytes(headerAt, bodyAt - 2));
  const fields = isBody ? withContentFields(before, replacement.header) : replacement.header;
  const insert = Buffer.concat([fields, Buffer.from('\r\n'), replacement.body]);
  return { edit: { from: headerAt, to: part.end, insert } };
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
 * A part is removed together with the delimiter before it. If no delimiter of its multipart follows, the multipart is
 * closed there: otherwise the line end before the delimiter would become part of the text before it (RFC 2046 section
 * 5.1.1).
 */
async function removal(message: ReadMessage, { leaf: { delimiterAt, headerAt }, next }: FilePart): Promise<Edit> {
  const text = async (from: number, to: number): Promise<string> => (await message.bytes(from, to)).toString('latin1');
  const delimiter = (await text(delimiterAt, headerAt)).trimEnd().split('\n').at(-1)!;
  const fileAt = message.pieces.find(({ kind, at }) => kind === 'file' && at >= next)?.at ?? message.length;
  const following = await text(next, Math.min(fileAt, next + maxDelimiterLine));
  const line = following.split('\n', 1)[0]!.replace(/[ \t\r]+$/, '');
  const isClosed = line === delimiter || line === `${delimiter}--`;
  return { from: delimiterAt, to: next, insert: Buffer.from(isClosed ? '' : `${delimiter}--\r\n`, 'latin1') };
}

/** RFC 2046 section 5.1.1: a multipart has at least one part, and a message has its body. */
const keepsNoPart = (removed: readonly Detached[]): boolean => removed.length === removed[0]!.part.leaf.container.parts;

/** The header with these fields in the place of its own Content- fields. */
function withContentFields(header: HeaderBlock, content: Buffer): Buffer {
  const stretches: Buffer[] = [];
  /** Where the current run of other fields begins, and where the current field begins. */
  let from = 0;
  let at = 0;
  for (const { key, raw } of header) {
    const end = at + raw.length;
    if (key.startsWith('content-')) {
      stretches.push(header.raw.subarray(from, at), ...(from === 0 ? [content] : []));
      from = end;
    }
    at = end;
  }
  return Buffer.concat([...stretches, header.raw.subarray(from), ...(from === 0 ? [content] : [])]);
}
