import { escapeHtml } from '../escape-html.ts';

/**
 * Bytes of a shown name in escaped UTF-8. A letter contains each name twice, perhaps in base64 or as `=E6=97=A5`, and
 * everything about one file must take less than 1,000 bytes. The page and the download have the whole name.
 */
const maxNameBytes = 48;

/** For ` (2)`. */
const numberBytes = 6;

const ellipsis = '...';

/** Names as the notice shows them: short, with their extension, and each different from the others. */
export function shownNames(names: readonly string[]): string[] {
  const short = names.map((name) => shorten(name));
  const telling = names.map((name, i) => {
    if (short[i] === name) return name;
    const start = headOf(short[i]!);
    const alike = names.filter((_, k) => short[k] !== names[k] && headOf(short[k]!) === start);
    return new Set(alike).size > 1 ? shorten(name, { from: commonStart(alike) }) : short[i]!;
  });
  const counts = new Map<string, number>();
  const taken = new Set<string>();
  return telling.map((name, i) => {
    const key = name.toLowerCase();
    for (;;) {
      const number = (counts.get(key) ?? 0) + 1;
      counts.set(key, number);
      const shown = number === 1 ? name : numbered(names[i]!, number);
      if (taken.has(shown.toLowerCase())) continue;
      taken.add(shown.toLowerCase());
      return shown;
    }
  });
}

const headOf = (shortened: string): string => shortened.split(ellipsis, 1)[0]!;

function numbered(name: string, number: number): string {
  const { stem, extension } = split(shorten(name, { room: maxNameBytes - numberBytes }));
  return `${stem} (${number})${extension}`;
}

function split(name: string): { readonly stem: string; readonly extension: string } {
  const extension = /.(\.[\p{L}\p{N}]{1,10})$/u.exec(name)?.[1] ?? '';
  return { stem: name.slice(0, name.length - extension.length), extension };
}

/** Length of the prefix that all names share. */
function commonStart(names: readonly string[]): number {
  const [first = [], ...others] = names.map((name) => Array.from(name));
  const at = first.findIndex((character, i) => others.some((other) => other[i] !== character));
  return at < 0 ? first.length : at;
}

/**
 * Shortens a name in the middle, because its end says more: the extension, a version, a date. `from`: index of the
 * first character that differs from other names; the part from there is kept instead.
 */
export function shorten(
  name: string,
  { room = maxNameBytes, from }: { readonly room?: number; readonly from?: number } = {},
): string {
  const characters = Array.from(name);
  if (widthOf(characters) <= room) return name;
  const left = room - ellipsis.length;
  if (from === undefined) {
    const tail = fitting(characters.toReversed(), left / 3).reverse();
    return whole(fitting(characters, left - widthOf(tail))) + ellipsis + tail.join('');
  }
  const { extension } = split(name);
  const end = Array.from(extension);
  const head = fitting(characters, left / 4);
  let start = Math.max(head.length, from - 2);
  // A name that was shortened before has dots of its own there.
  while (/^[. ]$/.test(characters[start] ?? '')) start++;
  const middle = characters.slice(start, characters.length - end.length);
  const free = left - widthOf(head) - widthOf(end);
  if (widthOf(middle) <= free) return whole(head) + ellipsis + middle.join('') + extension;
  return (
    whole(head) + ellipsis + whole(fitting(middle, free - ellipsis.length)) + ellipsis + extension.replace(/^\./, '')
  );
}

const widthOf = (characters: readonly string[]): number =>
  characters.reduce((sum, character) => sum + Buffer.byteLength(escapeHtml(character)), 0);

/** The longest prefix that has at most `room` bytes. */
function fitting(characters: readonly string[], room: number): string[] {
  let used = 0;
  const count = characters.findIndex((character) => (used += widthOf([character])) > room);
  return characters.slice(0, count < 0 ? characters.length : count);
}

const whole = (characters: readonly string[]): string => characters.join('').trimEnd();
