import { trimEnd } from '../../message/trim-blanks.ts';
import type { PartHead } from './part-head.ts';

/** What holds parts: a multipart, or a message (the whole one or a forwarded one) with its single body. */
export interface Container {
  readonly kind: 'multipart' | 'message';
  readonly type: string;
  readonly parent: Container | undefined;
  readonly depth: number;
  /** IMAP section number (RFC 3501 section 6.4.5) of the container, '' for the message itself. */
  readonly section: string;
  /** Parts begun so far, those included that are no leaves. */
  parts: number;
}

/** A leaf of the tree. Positions count from the first byte after the header of the whole message. */
export interface Leaf {
  readonly container: Container;
  readonly section: string;
  readonly head: PartHead;
  /** Where its delimiter line, its header and its body begin. In a message the first two coincide. */
  readonly delimiterAt: number;
  readonly headerAt: number;
  readonly bodyAt: number;
  /** Why it is neither looked into nor taken out, when the structure already decides that. */
  readonly opaque: string | undefined;
}

export function containers(leaf: Leaf): Container[] {
  const list: Container[] = [];
  for (let c: Container | undefined = leaf.container; c; c = c.parent) list.push(c);
  return list;
}

/** How an entity is read. */
export type Reading =
  | { readonly kind: 'multipart'; readonly boundary: string }
  | { readonly kind: 'message' }
  | { readonly kind: 'leaf'; readonly opaque: string | undefined };

/** Multiparts that mean something as a whole: taking a piece out of them breaks or falsifies the rest. */
const wholes = new Map([
  ['multipart/signed', 'signed'],
  ['multipart/encrypted', 'encrypted'],
  ['multipart/report', 'report'],
  ['multipart/voice-message', 'voice message'],
  ['multipart/appledouble', 'appledouble'],
  ['multipart/byteranges', 'byte ranges'],
]);

const identityEncodings = ['7bit', '8bit', 'binary', ''];

const maxBoundaryLength = 200;

export interface Surroundings {
  readonly container: Container;
  readonly maxDepth: number;
  /** Boundaries of the multiparts that are open around it. */
  readonly boundaries: Iterable<string>;
}

export function readEntity(head: PartHead, { container, maxDepth, boundaries }: Surroundings): Reading {
  const type = effectiveType(head, container);
  const multipart = type.startsWith('multipart/');
  if (!head.clear) return { kind: 'leaf', opaque: 'unclear header' };
  if (container.kind === 'message' && head.journalReport) return { kind: 'leaf', opaque: 'journal report' };
  if (!multipart && type !== 'message/rfc822' && type !== 'message/global') return { kind: 'leaf', opaque: undefined };
  const whole = wholes.get(type);
  if (whole !== undefined) return { kind: 'leaf', opaque: whole };
  if (type === 'multipart/related' && !isLetter(head.params.get('type')))
    return { kind: 'leaf', opaque: 'compound object' };
  // RFC 2045 section 6.4: only the identity encodings are allowed here; some decode others all the same.
  if (!identityEncodings.includes(head.encoding)) return { kind: 'leaf', opaque: 'encoded structure' };
  if (container.depth >= maxDepth) return { kind: 'leaf', opaque: 'too deep' };
  if (!multipart) return { kind: 'message' };
  const boundary = trimEnd(head.params.get('boundary') ?? '', ' \t');
  if (boundary === '' || boundary.length > maxBoundaryLength || /[\r\n]/.test(boundary))
    return { kind: 'leaf', opaque: 'no usable boundary' };
  // A line could end this multipart or belong to the one around it: that is ambiguous.
  for (const outer of boundaries)
    if (outer === boundary || outer === `${boundary}--` || boundary === `${outer}--`)
      return { kind: 'leaf', opaque: 'ambiguous boundary' };
  return { kind: 'multipart', boundary };
}

/**
 * Whether a multipart/related (RFC 2387) is a letter with its pictures, judged by the type of its root. Others, such as
 * a phone's SMIL or XML with attachments (MTOM), refer to their parts in their own ways and break without them.
 */
const isLetter = (root = ''): boolean =>
  /^["\s]*(?:(?:text\/(?:html|plain|enriched|richtext)|text|html|application\/xhtml\+xml|multipart\/[^\s;"]*)["\s]*)?(?:[\s;].*)?$/is.test(
    root,
  );

/** RFC 2045 section 5.2, and RFC 2046 section 5.1.5 for digests. */
export function effectiveType(head: PartHead, container: Container): string {
  if (head.type !== '') return head.type;
  return container.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
}
