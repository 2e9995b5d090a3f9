/** What is detached and what is left alone: pure decisions over descriptions of parts. */
import { domainToASCII } from 'node:url';
import type { Config } from '../config/config.ts';
import { unfold, type HeaderBlock } from '../message/header-block.ts';
import { safeFileName, safeMediaType } from '../message/file-name.ts';
import { containers, effectiveType, type Leaf } from './mime/structure.ts';

export type Rules = Config['detach'];

/** A part that may be detached, once it was read to its end. */
export interface Candidate {
  readonly name: string;
  /** The sender gave it the name. */
  readonly isNamed: boolean;
  /** The name before it was shortened. */
  readonly wholeName: string;
  readonly type: string;
  /** Decoded bytes. */
  readonly size: number;
  /** Bytes that leave the message with it. */
  readonly encodedSize: number;
  /** Bytes of the description of its encoding. */
  readonly recipeCost: number;
  /** Why its bytes cannot be offered as a file; undefined: they can. */
  readonly flaw: string | undefined;
  /** An HTML text of the message shows it. */
  readonly shown: boolean;
}

/** Why a part stays where it is, for the log. */
export type Reason = string;

/** Files that are detached from one message at most: each costs two requests to storage, and a notice. */
const maxFiles = 500;

/**
 * Bytes that the notice for one file may take in both alternatives together: detaching a smaller part saves nothing.
 */
const noticeCost = 1000;

/** The smallest decoded size that can matter under these rules. */
export const smallestSize = (rules: Rules): number =>
  rules.totalSize > 0 ? Math.min(rules.minSize, rules.totalMinSize) : rules.minSize;

export interface Named {
  readonly name: string;
  /** The sender gave it the name. */
  readonly isNamed: boolean;
  /** The name before it was shortened. */
  readonly wholeName: string;
  readonly type: string;
}

/** The name and type under which a part would be stored. */
export function nameOf({ head }: Leaf): Named {
  const { fileName: disposition, typeName: type, description } = head;
  const { name, isGiven, whole } = safeFileName({ disposition, type, description }, head.type);
  return { name, isNamed: isGiven, wholeName: whole, type: safeMediaType(head.type, name) };
}

/** Why a leaf stays, judged by its header alone; undefined: its content decides. */
export function refusalByHeader(leaf: Leaf, rules: Rules): Reason | undefined {
  const { head } = leaf;
  if (leaf.opaque !== undefined) return leaf.opaque;
  const type = effectiveType(head, leaf.container);
  const named = nameOf(leaf);
  const [kind] = type.split('/', 1);
  if (kind === 'multipart' || kind === 'message') return 'structure';
  const purpose = purposeOf(leaf, type, named);
  if (purpose !== undefined) return purpose;
  const attached = isAttachment(leaf);
  const isText = kind === 'text' || type === 'application/xhtml+xml' || !type.includes('/');
  if (!attached && isText && !isTextFile(leaf)) return 'text';
  const related = containers(leaf).some((container) => container.type === 'multipart/related');
  if (!attached && related && head.contentLocation !== undefined) return 'shown';
  return refusalByRules(named.name, named.type, rules);
}

/** What a mail program does with the part itself, if that is known. Any of its names may tell. */
function purposeOf({ head }: Leaf, type: string, { name, type: fileType }: Named): Reason | undefined {
  const names = [name, ...(head.typeName === undefined ? [] : [safeFileName({ type: head.typeName }, type).name])];
  const types = [type, fileType];
  if (isCalendar(types, names)) return 'calendar';
  if (isCryptographic(types, names) || head.params.has('smime-type')) return 'signed or encrypted';
  return isForMailProgram(type, names) ? 'for the mail program' : undefined;
}

/**
 * Why a file stays, judged by its first bytes: programs rename files that they cannot read, and then only the content
 * tells.
 */
export function refusalByContent(start: Buffer): Reason | undefined {
  const text = start.toString('latin1');
  if (armour.test(text.replace(utf16Mark, '').replaceAll('\0', ''))) return 'signed or encrypted';
  if (cryptographicContent.test(text)) return 'signed or encrypted';
  return text.startsWith(tnefSignature) ? 'for the mail program' : undefined;
}

/** At the beginning, after blank lines or tags of HTML; a message, where the first lines say something else. */
const armour =
  /^(?:\xef\xbb\xbf)?(?:\s|<[^<>]*>)*-----BEGIN (?:PGP |PKCS7|CMS)|[\r\n>][ \t]*-----BEGIN PGP (?:SIGNED )?MESSAGE-----/;

const utf16Mark = /^(?:\xff\xfe|\xfe\xff)/;

/**
 * RFC 5652 section 3: a sequence that begins with an object identifier below 1.2.840.113549.1.7. RFC 5083 and RFC 3274
 * have theirs below 1.2.840.113549.1.9.16.1.
 */
const cryptographicContent =
  /^0(?:[\0-\x80]|\x81.|\x82..|\x83...|\x84....)\x06[\x09\x0b]\x2a\x86\x48\x86\xf7\x0d\x01(?:\x07|\x09\x10\x01[\x09\x17])/s;

/** MS-OXTNEF section 2.1.3.1. */
const tnefSignature = '\x78\x9f\x3e\x22';

/** Parts that Outlook sends to Outlook: a letter with all its files in one (TNEF), the keys of a shared folder. */
function isForMailProgram(type: string, names: readonly string[]): boolean {
  return (
    /^application\/(?:(?:x-|vnd\.)?ms-tnef|(?:x-)?tnef|x-sharing-metadata-xml)$/.test(type) ||
    names.some((name) => /^(?:winmail|win)[ _()[\]\d-]*\.dat(?:\.\w{1,5})?$|\.tnef$/i.test(name))
  );
}

/**
 * Whether this is one form of the body (RFC 2046 section 5.1.4), of which a program shows one. It may have a file name.
 */
export function isBodyForm({ container, section }: Leaf): boolean {
  const [inner, outer] = [container, container.parent];
  if (inner.type === 'multipart/alternative') return true;
  return inner.type === 'multipart/related' && outer?.type === 'multipart/alternative' && /(?:^|\.)1$/.test(section);
}

/** A text that is a file and not a letter: CSV, XML, source code. */
function isTextFile(leaf: Leaf): boolean {
  const { type, fileName, typeName } = leaf.head;
  const named = fileName !== undefined || typeName !== undefined;
  return named && /^text\/(?!(?:plain|html)$)/.test(type) && !isBodyForm(leaf);
}

/** How a text is searched for references to other parts; undefined: the part is no text, or is itself a file. */
export function watchedKind(leaf: Leaf, isCandidate: boolean): 'html' | 'calendar' | 'text' | undefined {
  if (leaf.opaque !== undefined) return undefined;
  const type = effectiveType(leaf.head, leaf.container);
  // A card of a person (RFC 6350) is written as a calendar is.
  const named = nameOf(leaf);
  if (purposeOf(leaf, type, named) === 'calendar' || isCard(type, named.name)) return 'calendar';
  const related = leaf.container.type === 'multipart/related';
  if (isCandidate || (isAttachment(leaf) && !related)) return undefined;
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  return type.startsWith('text/') ? 'text' : undefined;
}

/** RFC 2183 section 2.8: an unknown disposition means attachment. */
export function isAttachment(leaf: Leaf): boolean {
  const { disposition } = leaf.head;
  return disposition !== '' && disposition !== 'inline' && !isAttachedBody(leaf);
}

/** Some gateways call the forms of the body attachments. Without them the letter would have no words. */
function isAttachedBody(leaf: Leaf): boolean {
  if (!isBodyForm(leaf)) return false;
  const number = leaf.section.slice(leaf.section.lastIndexOf('.') + 1);
  const type = effectiveType(leaf.head, leaf.container);
  return type === 'text/plain' ? number === '1' : type === 'text/html' && (number === '1' || number === '2');
}

/** Invitations (RFC 5545), also under the names that Google, Outlook and old programs give them. */
function isCalendar(types: readonly string[], names: readonly string[]): boolean {
  return (
    types.some((type) => /^(?:text\/(?:x-)?v?calendar|application\/(?:ics|calendar\+(?:xml|json)))$/.test(type)) ||
    names.some((name) => /\.(?:ics|vcs)$/i.test(name))
  );
}

const isCard = (type: string, name: string): boolean =>
  /^text\/(?:(?:x-)?vcard|(?:x-)?directory)$/.test(type) || /\.vcf$/i.test(name);

/** PKCS #7 and CMS (RFC 8551, RFC 7193), PGP (RFC 3156), and Microsoft's rights management. */
function isCryptographic(types: readonly string[], names: readonly string[]): boolean {
  return (
    types.some((type) => /^application\/(?:x-)?(?:pkcs7|pkcs10|pgp|cms|microsoft-rpmsg)\b/.test(type)) ||
    names.some((name) => /\.(?:p7[mscz]|cms|pgp|gpg|asc|sig|rpmsg)$/i.test(name))
  );
}

function refusalByRules(name: string, type: string, rules: Rules): Reason | undefined {
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const inTypes = (list: readonly string[]): boolean => list.some((wanted) => matchesType(type, wanted));
  if (inTypes(rules.excludeTypes)) return 'excluded type';
  if (rules.excludeExtensions.includes(extension)) return 'excluded extension';
  const restricted = rules.includeTypes.length + rules.includeExtensions.length > 0;
  if (restricted && !inTypes(rules.includeTypes) && !rules.includeExtensions.includes(extension)) return 'not included';
  return undefined;
}

function matchesType(type: string, wanted: string): boolean {
  return wanted.endsWith('/*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

/** For each candidate of a message, in order: why it stays, or undefined when it is detached. */
export function judge(candidates: readonly Candidate[], rules: Rules): (Reason | undefined)[] {
  const first = candidates.map((candidate) => refusal(candidate, rules));
  const total = candidates.reduce((sum, { size }, i) => (first[i] === undefined ? sum + size : sum), 0);
  const totalReached = rules.totalSize > 0 && total >= rules.totalSize;
  const least = totalReached ? Math.min(rules.minSize, rules.totalMinSize) : rules.minSize;
  let taken = 0;
  return candidates.map((candidate, i) => {
    if (first[i] !== undefined) return first[i];
    if (candidate.size < least) return 'small';
    taken += 1;
    return taken > maxFiles ? 'too many files' : undefined;
  });
}

function refusal(candidate: Candidate, rules: Rules): Reason | undefined {
  if (candidate.flaw !== undefined) return candidate.flaw;
  if (candidate.shown) return 'shown';
  if (rules.maxSize > 0 && candidate.size > rules.maxSize) return 'large';
  if (candidate.encodedSize <= noticeCost) return 'saves nothing';
  return candidate.recipeCost > candidate.size / 4 ? 'irregular encoding' : undefined;
}

export type PolicyClass = 'detach' | 'exempt';

/** The class of a recipient: those of different classes never share a transaction. */
export function createPolicyClass(rules: Rules): (mailbox: string) => PolicyClass {
  return (mailbox) => classOf(mailbox, { included: rules.includeRecipients, exempt: rules.exemptRecipients });
}

/** Whether mail from this reverse-path to these recipients is exempt. The null reverse-path always is. */
export function isExempt(
  envelope: { readonly reversePath: string; readonly recipients: readonly string[] },
  rules: Rules,
): boolean {
  if (envelope.reversePath === '') return true;
  const senders = { included: rules.includeSenders, exempt: rules.exemptSenders };
  if (classOf(envelope.reversePath, senders) === 'exempt') return true;
  const classify = createPolicyClass(rules);
  return envelope.recipients.some((recipient) => classify(recipient) === 'exempt');
}

interface Lists {
  readonly included: readonly string[];
  readonly exempt: readonly string[];
}

function classOf(mailbox: string, { included, exempt }: Lists): PolicyClass {
  if (included.length + exempt.length === 0) return 'detach';
  const matches = createMatch(mailbox);
  if (exempt.some(matches)) return 'exempt';
  return included.length === 0 || included.some(matches) ? 'detach' : 'exempt';
}

/**
 * Whether an entry of a list means this mailbox: its address, also without the detail behind `+` (RFC 5233), with which
 * ticket systems tell their tickets apart; its domain; or `.domain` above it.
 */
function createMatch(mailbox: string): (entry: string) => boolean {
  const at = mailbox.lastIndexOf('@');
  // As Postfix does: an absolute domain name is the same domain.
  const raw = mailbox.slice(at + 1).replace(/\.$/, '');
  const domain = domainToASCII(Buffer.from(raw, 'latin1').toString('utf8')) || raw.toLowerCase();
  const local = Buffer.from(mailbox.slice(0, Math.max(0, at)), 'latin1').toString('utf8');
  // RFC 5321 section 4.1.2: a quoted local part means what it says without quotes and backslashes.
  const plain = /^".*"$/s.test(local) ? local.slice(1, -1).replace(/\\(.)/gs, '$1') : local;
  const name = plain.toLowerCase();
  const addresses = [`${name}@${domain}`, `${name.replace(/\+.*/s, '')}@${domain}`];
  return (entry) => {
    if (entry.includes('@')) return addresses.includes(entry);
    return entry.startsWith('.') ? domain.endsWith(entry) : domain === entry;
  };
}

/** Whether the sender asks to keep the files in this message, and is allowed to. */
export function optsOut(header: HeaderBlock, reversePath: string, { optOut: { field, senders } }: Rules): boolean {
  if (field === undefined || reversePath === '') return false;
  const asked = header.all(field.toLowerCase()).some((found) => /^(?:no)$/i.test(unfold(found)));
  return asked && senders.some(createMatch(reversePath));
}
