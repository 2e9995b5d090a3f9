/** Which texts of a message tell of which files. */
import type { NoticeItem } from '../links/interface.ts';
import type { FilePart, ReadLeaf } from './read-message.ts';
import { containers, effectiveType, type Container, type Leaf } from './mime/structure.ts';

export interface Detached {
  readonly part: FilePart;
  readonly item: NoticeItem;
}

/** A notice in a text. */
export interface Place {
  readonly text: ReadLeaf;
  readonly told: readonly Detached[];
  /** The files stood before the text. */
  readonly isAbove: boolean;
  /** No other one of this form of the message stands below it. */
  readonly isLast: boolean;
}

/** `complete`: every reader of the message sees the notice in one of these texts. */
export interface Places {
  readonly places: readonly Place[];
  readonly complete: boolean;
}

const noPlace: Places = { places: [], complete: false };

/** The message that a leaf belongs to: the whole one, or the innermost of those forwarded in it. */
export const messageOf = (leaf: Leaf): Container => messagesAround(leaf)[0]!;

/**
 * The innermost comes first. The languages of a multilingual message (RFC 8255) have the form of messages but do not
 * count as such.
 */
const messagesAround = (leaf: Leaf): Container[] =>
  containers(leaf).filter(({ kind, parent }) => kind === 'message' && parent?.type !== 'multipart/multilingual');

/** A container of which mail programs show only one part. */
const isChoice = ({ type }: Container): boolean =>
  type === 'multipart/alternative' || type === 'multipart/multilingual';

/** Whether it stands in one of several forms, of which a program shows one. */
export const isForm = (leaf: Leaf): boolean => containers(leaf).some(isChoice);

/**
 * Chooses texts of this message, and not of one forwarded in it, that tell of these files. `mayDivide`: each file may
 * be named near its own place.
 */
export function choosePlaces(
  texts: readonly ReadLeaf[],
  told: readonly Detached[],
  { message, mayDivide }: { readonly message: Container; readonly mayDivide: boolean },
): Places {
  const own = texts.filter(({ leaf }) => messageOf(leaf) === message);
  return placesIn(own, told, { scope: message, mayDivide });
}

interface Scope {
  readonly scope: Container;
  readonly mayDivide: boolean;
}

/** The first text in a container, in each form that it has there. */
function placesIn(texts: readonly ReadLeaf[], told: readonly Detached[], { scope, mayDivide }: Scope): Places {
  const first = texts.find(({ leaf }) => canCarry(leaf));
  if (!first) return noPlace;
  const around = containers(first.leaf);
  const choice = around.slice(0, around.indexOf(scope)).findLast(isChoice);
  if (!choice) return { places: inSequence(texts, told, { first, mayDivide }), complete: true };
  const forms = new Map<string, ReadLeaf[]>();
  for (const text of texts.filter(({ leaf }) => containers(leaf).includes(choice))) {
    const number = childOf(choice, text.leaf);
    forms.set(number, [...(forms.get(number) ?? []), text]);
  }
  const all = [...forms.values()].map((form) => placesIn(form, told, { scope: choice, mayDivide }));
  return { places: all.flatMap(({ places }) => places), complete: all.every(({ complete }) => complete) };
}

/** All files in the first text. Where texts and files alternate, as in Apple Mail, each file in the text before it. */
function inSequence(
  texts: readonly ReadLeaf[],
  told: readonly Detached[],
  { first, mayDivide }: { readonly first: ReadLeaf; readonly mayDivide: boolean },
): Place[] {
  const { container } = first.leaf;
  const siblings = texts.filter(({ leaf }) => leaf.container === container && canCarry(leaf));
  const groups = new Map<number, Detached[]>();
  for (const entry of told) {
    const { leaf } = entry.part;
    const before = siblings.findLastIndex((text) => text.leaf.bodyAt < leaf.bodyAt);
    const number = leaf.container === container ? before : 0;
    groups.set(number, [...(groups.get(number) ?? []), entry]);
  }
  if (!mayDivide || groups.size < 2) return [{ text: first, told, isAbove: false, isLast: true }];
  const last = Math.max(...groups.keys());
  return Array.from(groups, ([number, group]) => ({
    text: siblings[Math.max(0, number)]!,
    told: group,
    isAbove: number < 0,
    isLast: number === last,
  }));
}

/** The number of the part of a container that a leaf is, or stands in. */
const childOf = ({ section }: Container, leaf: Leaf): string =>
  leaf.section.slice(section === '' ? 0 : section.length + 1).split('.', 1)[0]!;

const canCarry = (leaf: Leaf): boolean => ['text/plain', 'text/html'].includes(typeOf(leaf));

export const typeOf = (leaf: Leaf): string => effectiveType(leaf.head, leaf.container);
