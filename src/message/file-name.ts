import { extensionOf, typeOf, unknownType } from './media-types.ts';

/**
 * Characters of a name that are looked at, half of them at its end. Far more than is kept: what is done with them must
 * not take long on hostile lengths.
 */
const maxLength = 2048;

/** Longest name, so that it fits in every header, page and file system with room to spare. */
const maxNameBytes = 150;
const maxExtensionBytes = 20;

/** RFC 6838 section 4.2: names of types and subtypes. */
const mediaType = /^\s*([a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126})\s*(?:;|$)/;

/**
 * The media type in lower case, without parameters; `application/octet-stream` where it is none. That one says
 * nothing, and so the extension of the name decides where there is one we know.
 */
export function safeMediaType(type: string, name = ''): string {
  const [, declared] = mediaType.exec(type.toLowerCase()) ?? [];
  if (declared !== undefined && declared !== unknownType) return declared;
  return typeOf(splitName(name).extension.slice(1).toLowerCase()) ?? unknownType;
}

/** The names that a part gives itself, decoded: `filename` of its disposition, `name` of its content type. */
export interface NameCandidates {
  readonly disposition?: string | undefined;
  readonly type?: string | undefined;
  /** Content-Description (RFC 2045 section 8). */
  readonly description?: string | undefined;
}

export interface SafeName {
  readonly name: string;
  /** The sender chose it, and all of it is known: others may differ in what was left out. */
  readonly isGiven: boolean;
  /** The name before it was shortened. */
  readonly whole: string;
}

/**
 * A name that is harmless in a header, a page and a file system, and says what the sender's did. Where two names
 * disagree the disposition's counts (RFC 2183 section 2.3); where there is none the description does, and at last what
 * kind of file it is. A name that is only an extension is none.
 */
export function safeFileName({ disposition, type, description }: NameCandidates, mediaType: string): SafeName {
  let givenExtension: string | undefined;
  for (const candidate of [disposition, type]) {
    if (candidate === undefined) continue;
    const whole = clean(candidate);
    if (whole.startsWith('.')) givenExtension ??= whole.slice(1);
    else if (whole !== '') return { name: shorten(whole), isGiven: candidate.length <= maxLength, whole };
  }
  const safeType = safeMediaType(mediaType, `a.${givenExtension}`);
  const extension = givenExtension ?? extensionOf(safeType) ?? 'bin';
  const described = description === undefined ? '' : clean(description);
  if (described !== '' && !described.startsWith('.')) {
    const whole = withExtension(described, extension);
    return { name: shorten(whole), isGiven: true, whole };
  }
  const kind = /^(?:image|video|audio)(?=\/)/.exec(safeType)?.[0] ?? 'attachment';
  const name = `${kind}.${extension}`;
  return { name, isGiven: false, whole: name };
}

/** Words may end in a dot and something that is no extension. */
function withExtension(words: string, extension: string): string {
  const own = splitName(words).extension.slice(1).toLowerCase();
  return own !== '' && typeOf(own) !== undefined ? words : `${words}.${extension}`;
}

/** `a-2.pdf` of `a.pdf`. */
export function numberedName(name: string, number: number): string {
  const { stem, extension } = splitName(name);
  return `${stem}-${number}${extension}`;
}

/**
 * Characters nobody sees and tricks are made of: controls, bidi controls, zero width, soft hyphen, fillers, tags,
 * private use, halves of surrogate pairs. The joiners U+200C and U+200D shape letters (Persian, Indic) and emoji, the
 * selectors U+FE0E and U+FE0F emoji, and they stay where they do.
 */
const invisible =
  /(?!\p{Join_Control}|\ufe0e|\ufe0f)[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}\p{Co}\p{Bidi_Control}\u2800\ufff9-\ufffc\ufffe\uffff]/gu;
const strayJoiner =
  /(?<![\p{L}\p{M}\p{S}])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{S}])|(?<!\p{Emoji})(?:\ufe0e|\ufe0f)/gu;

/** Names of devices in Windows, whatever their extension. */
const device = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=$|[. ])/i;

/** A name of any length; an extension alone with its dot. */
function clean(candidate: string): string {
  const half = maxLength / 2;
  const bounded = candidate.length > maxLength ? candidate.slice(0, half) + candidate.slice(-half) : candidate;
  const visible = bounded
    .replace(/[^\S\ufeff]+/g, ' ')
    .replace(invisible, '')
    .normalize('NFC')
    // A name that its sender cut within a character.
    .replace(/(?<!\ufffd)\ufffd+(?=\s*(?:\.[\p{L}\p{N}]{1,10})?\s*$)/u, '')
    .trim();
  const last = lastOfPath(visible);
  const [, onlyExtension = ''] = /^[. ]*\.([a-z0-9]{1,10})[. ]*$/i.exec(last) ?? [];
  if (typeOf(onlyExtension.toLowerCase()) !== undefined) return `.${onlyExtension}`;
  const name = last
    .replace(/["*/:<>?\\|\ufffd]/g, '_')
    .replace(strayJoiner, '')
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|(?<![. ])[. ]+$/g, '');
  return device.test(name) ? `_${name}` : name;
}

/** Some programs send the whole path. A slash in a name that is no path, as in `1/2 finished.pdf`, is a slash. */
function lastOfPath(name: string): string {
  if (/^(?:[a-z]:|\.{0,2}[\\/])|\\/i.test(name))
    return /[^\\/:]*$/.exec(name.replace(/(?<![\\/. ])[\\/. ]+$/, ''))?.[0] ?? '';
  return name;
}

/**
 * Cuts between code points; the extension stays, since it tells the system what to open the file with, and what stands
 * before it, since names that begin alike often end differently. `from`: index of a character from which on the name
 * differs from others, which is kept too.
 */
export function shorten(name: string, { from }: { readonly from?: number } = {}): string {
  if (Buffer.byteLength(name) <= maxNameBytes) return name;
  const { stem, extension } = splitName(name);
  const room = maxNameBytes - Buffer.byteLength(extension) - ellipsis.length;
  const characters = Array.from(stem);
  const end = fitting(characters.toReversed(), Math.floor(room / 3)).reverse();
  const tail = trimStart(end.join(''));
  const head = fitting(characters, room - Buffer.byteLength(tail));
  if (from === undefined || from < head.length || from >= characters.length - end.length)
    return trimEnd(head.join('')) + ellipsis + tail + extension;
  const middle = fitting(characters.slice(from), Math.floor(room / 3)).join('');
  const before = fitting(head, room - Buffer.byteLength(tail) - Buffer.byteLength(middle) - ellipsis.length).join('');
  return trimEnd(before) + ellipsis + trimStart(middle) + ellipsis + tail + extension;
}

const trimStart = (text: string): string => text.replace(/^[\p{M}. \u200c\u200d]+|[. \u200c\u200d]+$/gu, '');
const trimEnd = (text: string): string => text.replace(/[. \u200c\u200d]+$/, '');

const ellipsis = '...';

/** As many of the first ones as have no more than so many bytes. */
function fitting(characters: readonly string[], room: number): string[] {
  let used = 0;
  const count = characters.findIndex((character) => (used += Buffer.byteLength(character)) > room);
  return characters.slice(0, count < 0 ? characters.length : count);
}

function splitName(name: string): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  const usable = /^\.[\p{L}\p{N}_+-]+$/u.test(extension) && Buffer.byteLength(extension) <= maxExtensionBytes;
  return usable ? { stem: name.slice(0, dot), extension } : { stem: name, extension: '' };
}
