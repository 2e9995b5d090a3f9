/**
 * Reads message content off the wire (RFC 5321 section 4.5.2): takes the dot stuffing out, finds the lone dot that
 * ends the message, and finds line ends that a sloppier server downstream would read as such an end.
 *
 * If this is wrong, one message is read as two ("SMTP smuggling") or a message loses its end, so the rules are few:
 * only <CR><LF>.<CR><LF> ends the message; every LF must follow a CR; a lone dot with a bare CR on either side is
 * refused. A bare CR elsewhere is content.
 *
 * Buffers at most three bytes between calls. Content comes out as views of the chunks that went in.
 */
const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const EMPTY = Buffer.alloc(0);
const CR_DOT = Buffer.from('\r.');

/** Called for every line: looking it up on the buffer each time costs as much as the search itself. */
const { indexOf } = EMPTY as { readonly indexOf: (this: Buffer, byte: number, from: number) => number };

export interface DotReaderResult {
  readonly content: readonly Buffer[];
  /** Set once the end was found: what came after it. */
  readonly remainder?: Buffer;
}

export class DotReader {
  /** Bytes whose meaning depends on what follows: a CR, `CR.`, or a dot (and CR) at the start of a line. */
  #carry: Buffer = EMPTY;
  #atLineStart = true;
  #smuggling = false;

  /** True once a bare LF, or a lone dot beside a bare CR, was seen. What follows is still read up to the end. */
  get smuggling(): boolean {
    return this.#smuggling;
  }

  feed(chunk: Buffer): DotReaderResult {
    const data = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk;
    this.#carry = EMPTY;
    const content: Buffer[] = [];
    let start = 0; // of the content not yet taken
    let search = 0;
    for (;;) {
      if (this.#atLineStart && search < data.length) {
        if (data[search] === DOT) {
          const next = data[search + 1];
          const afterNext = data[search + 2];
          if (search > start) content.push(data.subarray(start, search));
          if (next === undefined || (next === CR && afterNext === undefined)) {
            this.#carry = Buffer.from(data.subarray(search));
            this.#findBareCrDot(data);
            return { content };
          }
          if (next === CR && afterNext === LF) {
            this.#findBareCrDot(data.subarray(0, search));
            return { content, remainder: data.subarray(search + 3) };
          }
          if (next === CR) this.#smuggling = true;
          start = search + 1; // the stuffed dot goes
          search = start;
        }
        this.#atLineStart = false;
      }
      const lf = findUnusualLineEnd(data, search);
      if (lf < 0) break;
      if (lf === 0 || data[lf - 1] !== CR) this.#smuggling = true;
      else this.#atLineStart = true;
      search = lf + 1;
    }
    this.#findBareCrDot(data);
    const held = heldBack(data, start);
    const end = data.length - held;
    if (end > start) content.push(data.subarray(start, end));
    // A copy: a view, even of nothing, would keep all of the chunk in memory.
    this.#carry = held > 0 ? Buffer.from(data.subarray(end)) : EMPTY;
    return { content };
  }

  /** `CR . CR` with a bare first CR: a server that takes CR for a line end would see the lone dot. */
  #findBareCrDot(data: Buffer): void {
    // A search for a single byte is far quicker, and base64, of which most bytes are, has no dots.
    const dot = data.indexOf(DOT, 1);
    if (dot < 0) return;
    for (let cr = data.indexOf(CR_DOT, dot - 1); cr >= 0; cr = data.indexOf(CR_DOT, cr + 2)) {
      if (data[cr + 2] === CR) this.#smuggling = true;
    }
  }
}

/** The next LF that has no CR before it, a dot after it, or ends the data: nothing needs to be done at the others. */
function findUnusualLineEnd(data: Buffer, from: number): number {
  let lf = indexOf.call(data, LF, from);
  while (lf > 0 && data[lf - 1] === CR && lf + 1 < data.length && data[lf + 1] !== DOT)
    lf = indexOf.call(data, LF, lf + 1);
  return lf;
}

/** How many bytes at the end must wait: a CR may belong to CRLF, `CR.` to `CR.CR`. */
function heldBack(data: Buffer, start: number): number {
  const last = data.length - 1;
  if (last >= start && data[last] === CR) return 1;
  if (last - 1 >= start && data[last] === DOT && data[last - 1] === CR) return 2;
  return 0;
}
