const lf = 0x0a;
const cr = 0x0d;
const dot = 0x2e;
const lineDot = Buffer.from('\n.');
const endAtLineStart = Buffer.from('.\r\n');
const endElsewhere = Buffer.from('\r\n.\r\n');

/**
 * Where the last octet left us. If this were wrong at the boundary of two chunks, a line that is a lone dot would end the
 * message there, and the rest of it would be read as commands: a message could smuggle in another one.
 *
 * | state     | last octets             | a dot now  | the end now        |
 * |-----------|-------------------------|------------|--------------------|
 * | lineStart | CRLF, or nothing so far | is doubled | `.` CRLF           |
 * | bareLf    | LF without CR           | is doubled | CRLF `.` CRLF      |
 * | bareCr    | CR                      | stays      | CRLF `.` CRLF      |
 * | inLine    | anything else           | stays      | CRLF `.` CRLF      |
 *
 * A bare LF never comes from a client (it is refused); should one be made inside, a server that takes it for a line
 * end must not find a lone dot after it either.
 */
type State = 'lineStart' | 'bareLf' | 'bareCr' | 'inLine';

/** Doubles the dots at line starts and ends the message (RFC 5321 section 4.5.2). Keeps no data, only the state. */
export class DotStuffer {
  #state: State = 'lineStart';

  /** The chunk as it goes over the wire: the same buffer when no dot needs doubling, which is nearly always. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const atSeam = chunk[0] === dot && (this.#state === 'lineStart' || this.#state === 'bareLf');
    this.#state = stateAfter(chunk, this.#state);
    // Base64 has no dots at all: one memchr settles most large chunks.
    if (!atSeam && !chunk.includes(dot)) return chunk;
    const cuts = atSeam ? [0] : [];
    const first = chunk.indexOf(lineDot);
    for (let at = first; at >= 0; at = nextLineDot(chunk, at + 2)) cuts.push(at + 1);
    return cuts.length === 0 ? chunk : insertDots(chunk, cuts);
  }

  /** The final dot, with a CRLF before it where the message does not end in one. Ready for the next message then. */
  end(): Buffer {
    const ending = this.#state === 'lineStart' ? endAtLineStart : endElsewhere;
    this.#state = 'lineStart';
    return ending;
  }
}

function stateAfter(chunk: Buffer, before: State): State {
  const last = chunk[chunk.length - 1];
  if (last === cr) return 'bareCr';
  if (last !== lf) return 'inLine';
  const afterCr = chunk.length === 1 ? before === 'bareCr' : chunk[chunk.length - 2] === cr;
  return afterCr ? 'lineStart' : 'bareLf';
}

/** Octets up to which a loop beats a native call: without it a message of nothing but dots costs fifty times more. */
const shortOctets = 64;

function nextLineDot(chunk: Buffer, from: number): number {
  const near = Math.min(from + shortOctets, chunk.length - 1);
  for (let at = from; at < near; at++) {
    if (chunk[at] === lf && chunk[at + 1] === dot) return at;
  }
  return chunk.indexOf(lineDot, near);
}

function insertDots(chunk: Buffer, cuts: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(chunk.length + cuts.length);
  let from = 0;
  let to = 0;
  for (const cut of cuts) {
    if (cut - from > shortOctets) {
      to += chunk.copy(out, to, from, cut);
    } else {
      for (let at = from; at < cut; at++) out[to++] = chunk[at]!;
    }
    out[to++] = dot;
    from = cut;
  }
  chunk.copy(out, to, from);
  return out;
}
