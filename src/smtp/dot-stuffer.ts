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
    const startsWithDot = chunk[0] === dot && (this.#state === 'lineStart' || this.#state === 'bareLf');
    this.#state = stateAfter(chunk, this.#state);
    // Base64 has no dots at all: one memchr settles most large chunks.
    if (!startsWithDot && !chunk.includes(dot)) return chunk;
    const dots = countLineDots(chunk);
    return dots > 0 || startsWithDot ? insertDots(chunk, { dots, startsWithDot }) : chunk;
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

function countLineDots(chunk: Buffer): number {
  const last = chunk.length - 1;
  let dots = 0;
  for (let at = chunk.indexOf(lineDot); at >= 0; at = at < last ? chunk.indexOf(lineDot, at) : -1) {
    for (let far = at + 1; at < far && at < last; at++) {
      if (chunk[at] !== lf || chunk[at + 1] !== dot) continue;
      dots++;
      far = at + shortOctets;
    }
  }
  return dots;
}

interface Dots {
  /** Line starts with a dot behind an LF of the same chunk. */
  readonly dots: number;
  /** Whether the chunk begins with a line's dot. */
  readonly startsWithDot: boolean;
}

interface Target {
  readonly out: Buffer;
  /** Position of the first octet in `out`. */
  readonly start: number;
}

function insertDots(chunk: Buffer, { dots, startsWithDot }: Dots): Buffer {
  const out = Buffer.allocUnsafe(chunk.length + dots + (startsWithDot ? 1 : 0));
  if (startsWithDot) out[0] = dot;
  const to = startsWithDot ? 1 : 0;
  if (dots * shortOctets > chunk.length) copyShortLines(chunk, { out, start: to });
  else copyLongLines(chunk, { out, start: to });
  return out;
}

/** By index: an iterator over a buffer takes several times as long for each octet. */
function copyShortLines(chunk: Buffer, { out, start }: Target): void {
  const { length } = chunk;
  let to = start;
  for (let at = 0; at < length; at++) {
    const octet = chunk[at]!;
    if (octet === dot && at > 0 && chunk[at - 1] === lf) out[to++] = dot;
    out[to++] = octet;
  }
}

function copyLongLines(chunk: Buffer, { out, start }: Target): void {
  let from = 0;
  let to = start;
  for (let at = chunk.indexOf(lineDot); at >= 0; at = chunk.indexOf(lineDot, from)) {
    to += chunk.copy(out, to, from, at + 1);
    out[to++] = dot;
    from = at + 1;
  }
  chunk.copy(out, to, from);
}
