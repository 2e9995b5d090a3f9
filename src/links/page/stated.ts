/**
 * What a mail states about itself, as a page may show it. None of it is verified, so no character may hide text,
 * reverse it or imitate something else.
 */

/** Controls, format characters (bidirectional ones among them), separators and all that is not drawn. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu;

const maxNameLength = 100;
const maxTextLength = 300;

export const seen = (text: string): string =>
  text
    .replace(/[\t\n\v\f\r]/g, ' ')
    .replace(unseen, '')
    .replace(/\s+/gu, ' ')
    .trim();

export const shortened = (text: string, length: number = maxTextLength): string => {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
};

export interface Sender {
  /** '' when the mail states none. */
  readonly name: string;
  /** Always whole, however long the name is. */
  readonly address: string;
}

/** Last characters of several senders that stay: the last address is among them. */
const maxEndLength = 400;

/** Name and address of a From field. Several senders are shown as written, in `address`. */
export function senderOf(from: string): Sender {
  const text = seen(from);
  const [, name, address] = /^((?:"(?:[^"\\]|\\.)*"|[^<>"])*)<([^<>]*)>$/.exec(text) ?? [];
  if (name === undefined || address === undefined) return { name: '', address: shortenedInside(text) };
  const bare = name
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .replace(/\\(.)/g, '$1')
    .trim();
  return { name: shortened(bare, maxNameLength), address: address.trim() };
}

/** A cut at the end would hide the address behind a name that looks like one. */
function shortenedInside(text: string): string {
  const characters = Array.from(text);
  if (characters.length <= maxTextLength + maxEndLength) return text;
  return `${characters.slice(0, maxTextLength - 1).join('')}… ${characters.slice(-maxEndLength).join('')}`;
}
