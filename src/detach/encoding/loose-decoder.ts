/**
 * Decoders for texts that are only searched. They go on after every error and do not record the encoder's layout. Each
 * holds a few bytes between chunks: the token that a chunk boundary cut. The caller owns the result.
 */
export interface LooseDecoder {
  decode(chunk: Buffer): Buffer;
  /** What is left at the end of the part. */
  end(): Buffer;
}

const equals = 0x3d;
const cr = 0x0d;
const lf = 0x0a;
const nothing: Buffer = Buffer.alloc(0);

/** RFC 2045 section 6.8: other characters do not count. */
export class LooseBase64 implements LooseDecoder {
  #rest = '';

  decode(chunk: Buffer): Buffer {
    const kept = Buffer.allocUnsafe(chunk.length);
    const { length } = chunk;
    let count = 0;
    // Without a branch, and by index: an iterator over a buffer takes twice as long.
    for (let at = 0; at < length; at++) {
      const octet = chunk[at]!;
      kept[count] = octet;
      count += isBase64[octet]!;
    }
    const text = this.#rest + kept.toString('latin1', 0, count);
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    return Buffer.from(text.slice(0, whole), 'base64');
  }

  end(): Buffer {
    return Buffer.from(this.#rest, 'base64');
  }
}

const isBase64 = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
  isBase64[character.charCodeAt(0)] = 1;

/** Blanks between `=` and the line end, which some relays add. */
const maxPadding = 80;

/** RFC 2045 section 6.7: `=` that begins no escape stands for itself. */
export class LooseQuoted implements LooseDecoder {
  #rest = nothing;

  decode(chunk: Buffer): Buffer {
    const raw = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const out = Buffer.allocUnsafe(raw.length);
    let length = 0;
    let at = 0;
    while (at < raw.length) {
      const octet = raw[at]!;
      const value = octet === equals ? hexPair(raw, at + 1) : octet;
      if (value >= 0) {
        out[length++] = value;
        at += octet === equals ? 3 : 1;
        continue;
      }
      const next = afterSoftBreak(raw, at + 1);
      if (next === undefined) break;
      if (next < 0) out[length++] = equals;
      at = next < 0 ? at + 1 : next;
    }
    this.#rest = at < raw.length ? Buffer.from(raw.subarray(at)) : nothing;
    return out.subarray(0, length);
  }

  end(): Buffer {
    return this.#rest;
  }
}

/** The octet of two hex digits; -1: none. */
function hexPair(raw: Buffer, at: number): number {
  const high = hexValue(raw[at]);
  return high < 0 ? -1 : (high << 4) | hexValue(raw[at + 1]);
}

function hexValue(octet = 0): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * Where the text goes on after a soft line break; -1: this is no soft line break; undefined: the chunk ends too early
 * to tell.
 */
function afterSoftBreak(raw: Buffer, start: number): number | undefined {
  const first = raw[start];
  if (first !== undefined && hexValue(first) >= 0) return start + 1 < raw.length ? -1 : undefined;
  let at = start;
  while (at < start + maxPadding && (raw[at] === 0x20 || raw[at] === 0x09)) at += 1;
  if (raw[at] === cr) at += 1;
  if (at >= raw.length) return undefined;
  return raw[at] === lf ? at + 1 : -1;
}
