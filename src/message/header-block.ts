/**
 * The header block of a message (RFC 5322 section 2.2): the bytes that came in, and where each field begins.
 *
 * Nothing is changed or reordered. A number is kept for each field, and no object: a header of many thousand tiny
 * fields takes little more memory than its bytes. Objects are made for the fields that somebody asks for.
 */
export interface HeaderField {
  /** Field name as received, without the colon. */
  readonly name: string;
  /** Lower-cased name, for comparisons. */
  readonly key: string;
  /** The field's bytes, line ends and folding included. */
  readonly raw: Buffer;
}

const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;
const space = 0x20;
const tab = 0x09;

interface Outline {
  readonly starts: ArrayLike<number>;
  readonly wellFormed: boolean;
}

export class HeaderBlock {
  /** All bytes of the block, without the empty line that ends it. */
  readonly raw: Buffer;
  /** Whether every line is a field or the continuation of one. */
  readonly wellFormed: boolean;
  /** Where each field begins. */
  readonly #starts: ArrayLike<number>;

  private constructor(raw: Buffer, { starts, wellFormed }: Outline) {
    this.raw = raw;
    this.#starts = starts;
    this.wellFormed = wellFormed;
  }

  /**
   * Parses a block of CRLF lines. A line that is no field and no folding becomes a field with the name ''.
   * @throws RangeError for more than `maxFields`
   */
  static parse(raw: Buffer, maxFields = Infinity): HeaderBlock {
    const few: number[] = [];
    let many: Uint32Array = noStarts;
    let count = 0;
    let wellFormed = true;
    for (let start = 0; start < raw.length; count++) {
      if (count >= maxFields) throw new RangeError(`more than ${maxFields} header fields`);
      const end = endOfField(raw, start);
      wellFormed &&= endOfName(raw, start, end) > start;
      if (count < manyFields) few.push(start);
      else {
        if (count >= many.length) many = enlarged(count === manyFields ? few : many);
        many[count] = start;
      }
      start = end;
    }
    return new HeaderBlock(raw, { starts: count > manyFields ? many.slice(0, count) : few, wellFormed });
  }

  /** How many there are. */
  get size(): number {
    return this.#starts.length;
  }

  /** All fields in order, made anew at each call. */
  get fields(): readonly HeaderField[] {
    return [...this];
  }

  /** All fields in order, each made when it is asked for. */
  *[Symbol.iterator](): Generator<HeaderField, void, undefined> {
    for (let i = 0; i < this.size; i++) yield this.#field(i);
  }

  /** The unfolded value of the first field of that name, as a byte string; undefined when there is none. */
  first(key: string): string | undefined {
    const index = this.#find(key, 0);
    return index < 0 ? undefined : unfold(this.#field(index));
  }

  /** The fields of that name in order, at most so many. */
  all(key: string, max = Infinity): readonly HeaderField[] {
    const found: HeaderField[] = [];
    for (let i = this.#find(key, 0); i >= 0 && found.length < max; i = this.#find(key, i + 1))
      found.push(this.#field(i));
    return found;
  }

  /** How many fields of that name there are. */
  count(key: string): number {
    let count = 0;
    for (let i = this.#find(key, 0); i >= 0; i = this.#find(key, i + 1)) count += 1;
    return count;
  }

  /** The fields whose names begin with this, in order, each made when it is asked for. */
  *allOf(prefix: string): Generator<HeaderField, void, undefined> {
    for (let i = 0; i < this.size; i++) {
      if (!isSame(this.raw, this.#starts[i]!, prefix)) continue;
      const field = this.#field(i);
      if (field.key !== '') yield field;
    }
  }

  #find(key: string, from: number): number {
    for (let i = from; i < this.size; i++) {
      const start = this.#starts[i]!;
      if (isSame(this.raw, start, key) && endOfName(this.raw, start, this.#end(i)) === start + key.length) return i;
    }
    return -1;
  }

  #end(i: number): number {
    return this.#starts[i + 1] ?? this.raw.length;
  }

  #field(i: number): HeaderField {
    const start = this.#starts[i]!;
    const end = this.#end(i);
    const name = this.raw.toString('latin1', start, endOfName(this.raw, start, end));
    return { name, key: name.toLowerCase(), raw: this.raw.subarray(start, end) };
  }
}

/**
 * Fields from which their positions are kept in a typed array: half of the memory, and a quarter of the time to fill it.
 * An array is faster to make for the few fields of most messages.
 */
const manyFields = 256;

const noStarts = new Uint32Array(0);

function enlarged(starts: ArrayLike<number>): Uint32Array {
  const larger = new Uint32Array(4 * starts.length);
  larger.set(starts);
  return larger;
}

/** After the last continuation line. Most lines are short, and looking at each byte here is faster than `indexOf`. */
function endOfField(raw: Buffer, start: number): number {
  for (let at = start; at < raw.length; at++) {
    if (raw[at] !== lf) continue;
    const next = raw[at + 1];
    if (next !== space && next !== tab) return at + 1;
  }
  return raw.length;
}

/** Where the name of the field ends; `start` when it has none. */
function endOfName(raw: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isNameOctet(raw[at]!)) at++;
  const nameEnd = at;
  // RFC 5322 section 4.5: obsolete syntax allows blanks before the colon.
  while (at < end && isBlank(raw[at]!)) at++;
  return at < end && raw[at] === colon ? nameEnd : start;
}

/** RFC 5322 section 3.6.8. */
const isNameOctet = (octet: number): boolean => octet > space && octet < 0x7f && octet !== colon;

const isBlank = (octet: number): boolean => octet === space || (octet >= tab && octet <= 0x0d);

/** Whether this name, in lower case, stands there in whatever case. */
function isSame(raw: Buffer, start: number, key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const wanted = key.charCodeAt(i);
    const octet = raw[start + i]!;
    const letter = wanted >= 0x61 && wanted <= 0x7a;
    if (octet !== wanted && !(letter && octet === wanted - 0x20)) return false;
  }
  return true;
}

/** The value of a field with its folding undone (RFC 5322 section 2.2.3) and outer blanks removed: a byte string. */
export function unfold({ raw }: HeaderField): string {
  const start = raw.indexOf(colon) + 1;
  if (raw.indexOf(lf, start) === raw.length - 1) return trim(raw, start, raw.length);
  const value = Buffer.allocUnsafe(raw.length - start);
  let length = 0;
  for (let at = start; at < raw.length; at++) {
    const folded = raw[at] === lf && isWhite(raw[at + 1]);
    if (folded && length > 0 && value[length - 1] === cr) length -= 1;
    if (!folded) value[length++] = raw[at]!;
  }
  return trim(value, 0, length);
}

/**
 * The value of a field without any blank: folding it in another way does not change that. Of a longer field the first
 * `maxBytes` are read.
 */
export function packed({ raw }: HeaderField, maxBytes = Infinity): string {
  const start = raw.indexOf(colon) + 1;
  const end = Math.min(raw.length, maxBytes);
  const value = Buffer.allocUnsafe(Math.max(0, end - start));
  let length = 0;
  for (let at = start; at < end; at++) {
    const octet = raw[at]!;
    if (!isWhite(octet) && octet !== cr && octet !== lf) value[length++] = octet;
  }
  return trim(value, 0, length);
}

const isWhite = (octet: number | undefined): boolean => octet === space || octet === tab;

/**
 * Not `trim()`: it takes a byte A0 for a blank, which ends characters of UTF-8. Not regular expressions either: they
 * would look at a long run of blanks in the middle once for each of them, and take 200 ms for 600,000 folded lines.
 */
function trim(bytes: Buffer, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(bytes[start]!)) start += 1;
  while (end > start && isBlank(bytes[end - 1]!)) end -= 1;
  return bytes.toString('latin1', start, end);
}
