/**
 * Reads message content off the wire (RFC 5321 section 4.5.2): takes the dot stuffing out, finds the lone dot that
 * ends the message, and finds line ends that a sloppier server downstream would read as such an end.
 *
 * If this is wrong, one message is read as two ("SMTP smuggling") or a message loses its end, so the rules are few:
 * only <CR><LF>.<CR><LF> ends the message; every LF must follow a CR; a lone dot with a bare CR on either side is
 * refused, and so is a NUL beside a dot, CR or LF, since some servers delete NULs and would find a lone dot then. A bare
 * CR or a NUL elsewhere is content.
 *
 * Buffers at most three bytes between calls. Content comes out as one view of the chunk that went in, or as one copy
 * where stuffed dots were taken out: however many lines begin with a dot, there is no chunk for each of them.
 */
const nulByte = 0x00;
const crByte = 0x0d;
const lfByte = 0x0a;
const dotByte = 0x2e;
const noBytes = Buffer.alloc(0);
const crDot = Buffer.from('\r.');

/** After a line as short as this the next one is searched by a loop, which is quicker there than a native call. */
const shortOctets = 24;

/** How far such a loop goes before it leaves the rest to a native call. */
const loopOctets = 2 * shortOctets;

/** Called for every line: looking it up on the buffer each time costs as much as the search itself. */
const { indexOf } = noBytes as { readonly indexOf: (this: Buffer, byte: number, from: number) => number };

export interface DotReaderResult {
  readonly content: Buffer;
  /** Set once the end was found: what came after it. */
  readonly remainder?: Buffer;
}

export class DotReader {
  /** Bytes whose meaning depends on what follows: a CR, `CR.`, or a dot (and CR) at the start of a line. */
  #carry: Buffer = noBytes;
  #atLineStart = true;
  #smuggling = false;
  /** The last byte that was read. A message begins as if a line end came before it. */
  #last = lfByte;

  /** True once a line end that might be misread was seen. What follows is still read up to the end. */
  get smuggling(): boolean {
    return this.#smuggling;
  }

  feed(chunk: Buffer): DotReaderResult {
    const result = this.#read(this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk);
    const end = chunk.length - (result.remainder?.length ?? 0);
    if (!this.#smuggling && isNulBesideLineEnd(this.#last, chunk, end)) this.#smuggling = true;
    if (end > 0) this.#last = chunk[end - 1]!;
    return result;
  }

  #read(data: Buffer): DotReaderResult {
    const content = new Content(data);
    this.#carry = noBytes;
    let search = 0;
    let short = false;
    for (;;) {
      if (this.#atLineStart && search < data.length) {
        if (data[search] === dotByte) {
          const next = data[search + 1];
          const afterNext = data[search + 2];
          if (next === undefined || (next === crByte && afterNext === undefined)) {
            this.#carry = Buffer.from(data.subarray(search));
            this.#findBareCrDot(data, data.length);
            return { content: content.upTo(search) };
          }
          if (next === crByte && afterNext === lfByte) {
            this.#findBareCrDot(data, search);
            return { content: content.upTo(search), remainder: data.subarray(search + 3) };
          }
          if (next === crByte) this.#smuggling = true;
          search = content.skip(search); // the stuffed dot goes
          this.#atLineStart = data[search - 1] === lfByte;
          if (this.#atLineStart) continue;
        }
        this.#atLineStart = false;
      }
      const lf = findUnusualLineEnd(data, search, short);
      if (lf < 0) break;
      if (lf === 0 || data[lf - 1] !== crByte) this.#smuggling = true;
      else this.#atLineStart = true;
      short = lf - search < shortOctets;
      search = lf + 1;
    }
    this.#findBareCrDot(data, data.length);
    const end = data.length - heldBack(data, content.start);
    // A copy: a view, even of nothing, would keep all of the chunk in memory.
    this.#carry = end < data.length ? Buffer.from(data.subarray(end)) : noBytes;
    return { content: content.upTo(end) };
  }

  /** `CR . CR` with a bare first CR: a server that takes CR for a line end would see the lone dot. */
  #findBareCrDot(data: Buffer, end: number): void {
    if (this.#smuggling) return;
    // A search for a single byte is far quicker, and base64, of which most bytes are, has no dots.
    const first = data.indexOf(dotByte, 1);
    if (first < 0) return;
    for (let at = data.indexOf(crDot, first - 1); at >= 0 && at + 2 < end; at = nextCrDot(data, at + 2)) {
      if (data[at + 2] !== crByte) continue;
      this.#smuggling = true;
      return;
    }
  }
}

/** The content of one chunk while stuffed dots are taken out of it. Copies from the first of them on. */
class Content {
  readonly #data: Buffer;
  #copy: Buffer | undefined;
  #length = 0;
  /** Of what was not taken yet. */
  start = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  /**
   * Takes what comes before `at`, and leaves out the dot there, and those of the short lines after it that begin with
   * another stuffed dot. @returns where to go on: behind a line end, or within a line
   */
  skip(at: number): number {
    const copy = (this.#copy ??= Buffer.allocUnsafe(this.#data.length));
    this.#length += this.#data.copy(copy, this.#length, this.start, at);
    this.start = this.#copyDotLines(copy, at);
    return this.start;
  }

  /** One loop for lines of a few bytes: a call for each of them makes such a message cost five times a file. */
  #copyDotLines(copy: Buffer, dotAt: number): number {
    const data = this.#data;
    let to = this.#length;
    let at = dotAt;
    do {
      at += 1;
      const end = Math.min(at + loopOctets, data.length - 2);
      for (; at < end && data[at] !== lfByte; at += 1) copy[to++] = data[at]!;
      // A longer line, a line end without CR, and the end of the data are for the caller.
      if (at >= end || data[at - 1] !== crByte) break;
      copy[to++] = lfByte;
      at += 1;
    } while (data[at] === dotByte && data[at + 1] !== crByte);
    this.#length = to;
    return at;
  }

  upTo(end: number): Buffer {
    if (!this.#copy) return this.#data.subarray(0, end);
    this.#length += this.#data.copy(this.#copy, this.#length, this.start, Math.max(end, this.start));
    return this.#copy.subarray(0, this.#length);
  }
}

/**
 * The next LF that has no CR before it, has a dot after it, or ends the data: the others need no work. The
 * native call stands at one place alone: V8 takes it into this loop then, which is 8 of 120 ms of a file of 25 MiB.
 */
function findUnusualLineEnd(data: Buffer, from: number, short: boolean): number {
  let near = short;
  let start = from;
  for (;;) {
    let at = start;
    let found = false;
    if (near) {
      const end = Math.min(at + loopOctets, data.length);
      while (at < end && data[at] !== lfByte) at += 1;
      found = at < end;
    }
    const lf = found ? at : indexOf.call(data, lfByte, at);
    if (lf <= 0 || data[lf - 1] !== crByte || lf + 1 >= data.length || data[lf + 1] === dotByte) return lf;
    near = lf - start < shortOctets;
    start = lf + 1;
  }
}

function nextCrDot(data: Buffer, from: number): number {
  const end = Math.min(from + loopOctets, data.length - 1);
  for (let at = from; at < end; at += 1) if (data[at] === crByte && data[at + 1] === dotByte) return at;
  return data.indexOf(crDot, end);
}

function nextNul(data: Buffer, from: number): number {
  const end = Math.min(from + loopOctets, data.length);
  for (let at = from; at < end; at += 1) if (data[at] === nulByte) return at;
  return data.indexOf(nulByte, end);
}

/** @param before the byte before the data; @param end of what is message */
function isNulBesideLineEnd(before: number, data: Buffer, end: number): boolean {
  if (end > 0 && before === nulByte && isLineEndPart(data[0])) return true;
  for (let at = data.indexOf(nulByte); at >= 0 && at < end; at = nextNul(data, at + 1)) {
    if (isLineEndPart(at === 0 ? before : data[at - 1]) || (at + 1 < end && isLineEndPart(data[at + 1]))) return true;
  }
  return false;
}

function isLineEndPart(byte: number | undefined): boolean {
  return byte === lfByte || byte === crByte || byte === dotByte;
}

/** How many bytes at the end must wait: a CR may belong to CRLF, `CR.` to `CR.CR`. */
function heldBack(data: Buffer, start: number): number {
  const last = data.length - 1;
  if (last >= start && data[last] === crByte) return 1;
  if (last - 1 >= start && data[last] === dotByte && data[last - 1] === crByte) return 2;
  return 0;
}
