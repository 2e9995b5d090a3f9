import { createHash } from 'node:crypto';
import { packed, type HeaderBlock, type HeaderField } from '../message/header-block.ts';

/**
 * The fields that identify a message, independent of how they are folded and ordered.
 *
 * A stamp names the fields that it is bound to and is checked against those fields only. So a hop that adds a missing
 * Message-ID or Date does not hide a loop. From is used only when both are missing, because some hops rewrite it.
 * Resent- fields are treated in the same way, with one difference: a stamp that names no Resent- field does not match a
 * message that has one. A person who resends a message (RFC 5322 section 3.6.6) makes a new message.
 */
export class Identity {
  readonly #values = new Map<string, string[]>();
  readonly #digests = new Map<string, string>();

  constructor(header: HeaderBlock) {
    for (const key of identifyingNames) for (const field of header.all(key, maxValues)) this.#add(key, field);
    let resent = 0;
    for (const field of header.allOf('resent-')) {
      this.#add(identityNames.has(field.key) ? field.key : 'resent-to', field);
      if ((resent += 1) === maxValues) break;
    }
  }

  #add(key: string, field: HeaderField): void {
    // White space is ignored: a hop that folds the field again may add or remove some.
    const value = packed(field, maxFieldBytes);
    const known = this.#values.get(key);
    if (known) known.push(value);
    else this.#values.set(key, [value]);
  }

  /** The fields that a new stamp is bound to, as they stand in `f=`. */
  fields(): string {
    return [...this.#present(['message-id', 'date'], ['from']), ...this.#resentFields()].join(',') || 'none';
  }

  /** The identity over these fields, a byte string; undefined when a stamp over them cannot belong to this message. */
  of(fields: string): string | undefined {
    const names = fields === 'none' ? [] : fields.split(',');
    if (names.some((name) => !identityNames.has(name) || !this.#values.has(name))) return undefined;
    if (!names.some((name) => name.startsWith('resent-')) && this.#resentFields().length > 0) return undefined;
    return names.map((name) => this.#digest(name)).join(' ');
  }

  #resentFields(): readonly string[] {
    return this.#present(['resent-message-id', 'resent-date'], ['resent-from'], ['resent-to']);
  }

  /** The fields present of the first group that has any. */
  #present(...groups: readonly (readonly string[])[]): readonly string[] {
    for (const group of groups) {
      const there = group.filter((name) => this.#values.has(name));
      if (there.length > 0) return there;
    }
    return [];
  }

  /** Short values unchanged, long ones hashed, once each: many stamps must not hash a long value many times. */
  #digest(name: string): string {
    const known = this.#digests.get(name);
    if (known !== undefined) return known;
    const values = [...(this.#values.get(name) ?? [])].sort().join('\n');
    const digest =
      values.length <= 100
        ? `${name}:${values}`
        : `${name}#${createHash('sha256').update(values, 'latin1').digest('base64url')}`;
    this.#digests.set(name, digest);
    return digest;
  }
}

/** Fields of one name that count, and Resent- fields in all, from the top. Bounds what a header of very many takes. */
const maxValues = 1000;

/**
 * Bytes of one field that count: a field of megabytes takes the event loop 40 ms otherwise. Postfix keeps 100 KiB of a
 * field (`header_size_limit`).
 */
const maxFieldBytes = 64 * 1024;

const identifyingNames = ['message-id', 'date', 'from'];

/** Sender, Cc and Bcc of a resent message, which tell it from the original where nothing better is there, are `resent-to`. */
const identityNames = new Set([...identifyingNames, 'resent-message-id', 'resent-date', 'resent-from', 'resent-to']);
