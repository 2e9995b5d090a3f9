import { packed, type HeaderField } from '../message/header-block.ts';

const stampField = 'X-Detach-Guard';
export const stampKey = stampField.toLowerCase();

/** A stamp as written in the field; nothing in it is trusted before its MAC was checked. */
export interface Stamp {
  readonly cluster: string;
  readonly keyId: string;
  /** Unix time, seconds. */
  readonly time: number;
  /** The fields of the message that it is bound to. */
  readonly fields: string;
  /** Tag of the whole set of recipients. */
  readonly set: string;
  /** Tags of the recipients among random ones, with their commas. */
  readonly tags: string;
  readonly salt: string;
}

/** The fields of an unfolded value without blanks. No value can contain the character that ends it. */
const stampSyntax =
  /^v=1;c=([\w.%-]{1,300});k=([\w.%-]{1,300});t=(\d{1,11});f=([a-z,-]{1,100});s=([\w-]{11});r=((?:[\w-]{11},)*[\w-]{11});n=([\w-]{11});m=([\w-]{11})$/;

/** Far above the stamp of the most recipients that a transaction can have here; bounds what one field may cost. */
const maxStampBytes = 1 << 20;

export interface ParsedStamp {
  readonly stamp: Stamp;
  /** The text that the MAC covers. */
  readonly text: string;
  readonly mac: string;
}

/** The stamp in a field, or undefined when it is broken or of a version that we do not know. */
export function parseStamp(field: HeaderField): ParsedStamp | undefined {
  if (field.raw.length > maxStampBytes) return undefined;
  const value = packed(field);
  const match = stampSyntax.exec(value);
  if (!match) return undefined;
  const [, cluster, keyId, time, fields, set, tags, salt, mac] = match as unknown as string[];
  const stamp = { cluster, keyId, time: Number(time), fields, set, tags, salt } as Stamp;
  return { stamp, text: value.slice(0, value.lastIndexOf(';m=')), mac: mac! };
}

/** What a stamp says apart from its tags. */
export type Bound = Omit<Stamp, 'set' | 'tags'>;

/**
 * The text that the MAC covers: the value without its blanks, so that folding does not matter. Tags are given apart: to
 * copy the rest of a stamp beside them took 8 of 23 µs.
 */
export function stampText(bound: Bound, { set, tags }: Pick<Stamp, 'set' | 'tags'>): string {
  const { cluster, keyId, time, fields, salt } = bound;
  return `v=1;c=${cluster};k=${keyId};t=${time};f=${fields};s=${set};r=${tags};n=${salt}`;
}

/** The complete field, folded (RFC 5322 section 2.1.1: no line above 78 characters, unless a name is longer). */
export function formatStamp(text: string, mac: string): string {
  let folded = `${stampField}:`;
  let width = folded.length;
  const add = (glue: string, word: string): void => {
    if (width + glue.length + word.length <= 78) {
      folded += glue + word;
      width += glue.length + word.length;
    } else {
      folded += `\r\n ${word}`;
      width = 1 + word.length;
    }
  };
  const values = text.split(';');
  values.push(`m=${mac}`);
  const last = values.length - 1;
  for (const [at, value] of values.entries()) {
    const end = at < last ? ';' : '';
    if (value.length <= 60) add(' ', value + end);
    else {
      // Blanks stand in a list only where a line is broken.
      const tags = value.split(',');
      for (const [i, tag] of tags.entries()) add(i === 0 ? ' ' : '', i < tags.length - 1 ? `${tag},` : tag + end);
    }
  }
  return `${folded}\r\n`;
}
