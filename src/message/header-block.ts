/**
 * The header block of a message (RFC 5322 section 2.2) as a list of fields over the bytes that came in.
 * Nothing is changed or reordered; a field knows the exact bytes that it came from.
 */
export interface HeaderField {
  /** Field name as received, without the colon. */
  readonly name: string;
  /** Lower-cased name, for comparisons. */
  readonly key: string;
  /** The field's bytes, line ends and folding included. */
  readonly raw: Buffer;
}

export class HeaderBlock {
  readonly fields: readonly HeaderField[];
  /** All bytes of the block, without the empty line that ends it. */
  readonly raw: Buffer;

  private constructor(raw: Buffer, fields: readonly HeaderField[]) {
    this.raw = raw;
    this.fields = fields;
  }

  /** Parses a block of CRLF lines. A line that is no field and no folding becomes a field with the name ''. */
  static parse(raw: Buffer): HeaderBlock {
    const fields: HeaderField[] = [];
    let start = 0;
    while (start < raw.length) {
      let end = start;
      do {
        const lf = raw.indexOf(0x0a, end);
        end = lf < 0 ? raw.length : lf + 1;
      } while (end < raw.length && (raw[end] === 0x20 || raw[end] === 0x09));
      fields.push(toField(raw.subarray(start, end)));
      start = end;
    }
    return new HeaderBlock(raw, fields);
  }

  /** The unfolded value of the first field of that name, as a byte string; undefined when there is none. */
  first(key: string): string | undefined {
    const field = this.fields.find((f) => f.key === key);
    return field && unfold(field);
  }

  all(key: string): readonly HeaderField[] {
    return this.fields.filter((f) => f.key === key);
  }
}

function toField(raw: Buffer): HeaderField {
  const colon = raw.indexOf(0x3a);
  // RFC 5322 section 4.5: obsolete syntax allows blanks before the colon.
  const name = colon < 0 ? '' : raw.toString('latin1', 0, colon).trimEnd();
  const valid = /^[\x21-\x39\x3b-\x7e]+$/.test(name);
  return { name: valid ? name : '', key: valid ? name.toLowerCase() : '', raw };
}

/** The value of a field with its folding undone (RFC 5322 section 2.2.3) and outer blanks removed: a byte string. */
export function unfold(field: HeaderField): string {
  const colon = field.raw.indexOf(0x3a);
  return (
    field.raw
      .toString('latin1', colon + 1)
      .replace(/\r?\n(?=[ \t])/g, '')
      .replace(/\r?\n$/, '')
      // Not trim(): it takes a byte A0 for a blank, which ends characters of UTF-8.
      .replace(/^[\t-\r ]+|[\t-\r ]+$/g, '')
  );
}
