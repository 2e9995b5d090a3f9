/**
 * Finds the parts of a message (RFC 2046) in its body, wherever the chunks are cut.
 *
 * Buffers what may turn out to be a delimiter line (at most `maxDelimiterLine`) or a part's header (at most
 * `maxPartHeader`), as a copy of its own. Everything else goes to the sink at once, in order, every byte exactly once,
 * as views of the chunk, which the sink must not keep. Nothing here waits: the caller waits for the sink's tape between
 * chunks. Never throws: invalid structure is text of the part around it.
 */
import { OpenBoundaries } from './open-boundaries.ts';
import { maxPartHeader, parsePartHead, type PartHead } from './part-head.ts';
import { effectiveType, readEntity, type Container, type Leaf } from './structure.ts';
import { StructureBudget, type Structure } from './structure-limits.ts';

export interface Sink {
  /** Bytes of the structure: delimiters, headers, preambles, epilogues. */
  literal(bytes: Buffer): void;
  leafBegins(leaf: Leaf): void;
  leafData(bytes: Buffer): void;
  /** `end` is where its body ends, `next` where the next delimiter line begins. */
  leafEnds(end: number, next: number): void;
  /** The leaf holds a line that some programs take for a delimiter and others do not. */
  leafIsAmbiguous(): void;
  /** The message passes a structure limit. The current leaf does not end; everything that follows is literal. */
  tooMuch(reason: string): void;
}

export interface ScannerLimits {
  /** How many containers are looked into, one inside the other. */
  readonly maxDepth: number;
}

const maxDelimiterLine = 1024;

const lf = 0x0a;
const cr = 0x0d;
const dash = 0x2d;

const nothing: Buffer = Buffer.alloc(0);

interface Match {
  readonly level: number;
  readonly closing: boolean;
  /** After the line. */
  readonly end: number;
}

export class MimeScanner {
  readonly #sink: Sink;
  readonly #limits: ScannerLimits;
  readonly #boundaries = new OpenBoundaries();
  readonly #budget = new StructureBudget();
  #held = nothing;
  /** Position of the first byte of the current buffer, and how much of the buffer is done. */
  #base = 0;
  #at = 0;
  #state: 'header' | 'body' = 'body';
  /** Bytes of the part's header that were looked at, line by line. */
  #headerSeen = 0;
  #lineStart = true;
  #leaf = false;
  /** The container whose part comes next, and where the delimiter line of that part began. */
  #container: Container;
  #delimiterAt = 0;

  constructor(root: PartHead, sink: Sink, limits: ScannerLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#container = { kind: 'message', type: 'message/rfc822', parent: undefined, depth: 0, section: '', parts: 1 };
    this.#enter(root, { headerAt: 0, bodyAt: 0 });
  }

  push(chunk: Buffer): void {
    this.#scan(this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk, false);
  }

  end(): void {
    this.#scan(this.#held, true);
    if (this.#leaf) this.#sink.leafEnds(this.#base, this.#base);
    this.#leaf = false;
  }

  #scan(buffer: Buffer, final: boolean): void {
    this.#at = 0;
    for (let goesOn = true; goesOn;) {
      if (this.#state === 'body') goesOn = this.#body(buffer, final);
      else if ((goesOn = this.#header(buffer, final))) this.#headerSeen = 0;
    }
    this.#base += this.#at;
    // A copy: a view, even of nothing, would keep all of the chunk in memory.
    this.#held = this.#at < buffer.length ? Buffer.from(buffer.subarray(this.#at)) : nothing;
  }

  /** Takes the header of a part once all of it is there. False: more bytes are needed. */
  #header(buffer: Buffer, final: boolean): boolean {
    const start = this.#at;
    for (let line = start + this.#headerSeen; ;) {
      const newline = buffer.indexOf(lf, line);
      const end = newline < 0 ? buffer.length : newline + 1;
      if (end - start > maxPartHeader) {
        if (this.#isTooMuch('partHeaderBytes', line - start)) return true;
        this.#sink.literal(buffer.subarray(start, line));
        this.#at = line;
        this.#beginLeaf(noHeader, {
          headerAt: this.#base + start,
          bodyAt: this.#base + line,
          opaque: 'header too large',
        });
        return true;
      }
      if (newline < 0 && !final) {
        this.#headerSeen = line - start;
        return false;
      }
      const match = buffer[line] === dash && buffer[line + 1] === dash ? this.#delimiter(buffer, line, final) : 'none';
      if (typeof match === 'object') {
        // RFC 2046 section 5.1: a part that ends within its header has no body.
        this.#sink.literal(buffer.subarray(start, match.end));
        this.#at = match.end;
        // The same delimiter twice: some programs see an empty part between the two, others do not.
        const doubled = line === start && !match.closing && this.#boundaries.container(match.level) === this.#container;
        if (!doubled) this.#follow(match, this.#base + line);
        else if (!this.#isTooMuch('parts', 1)) this.#lineStart = true;
        return true;
      }
      if (this.#state !== 'header') return true;
      if (end === line || newline === line || (newline === line + 1 && buffer[line] === cr)) {
        if (this.#isTooMuch('partHeaderBytes', end - start)) return true;
        this.#sink.literal(buffer.subarray(start, end));
        this.#at = end;
        const positions = { headerAt: this.#base + start, bodyAt: this.#base + end };
        this.#enter(line === start ? noHeader : parsePartHead(buffer.subarray(start, line)), positions);
        return true;
      }
      line = end;
    }
  }

  /** Passes on text up to the next delimiter line. False: more bytes are needed. */
  #body(buffer: Buffer, final: boolean): boolean {
    let from = this.#at;
    let find = findDashes;
    if (this.#lineStart && !this.#boundaries.isEmpty) {
      const begin = buffer.subarray(this.#at, this.#at + 2).toString('latin1');
      if (begin.length < 2 && '--'.startsWith(begin) && !final) return false;
      this.#lineStart = false;
      if (begin === '--') {
        const match = this.#delimiter(buffer, this.#at, final);
        if (match === 'more') {
          this.#lineStart = true;
          return false;
        }
        if (typeof match === 'object') return this.#take(buffer, match, { textEnd: this.#at, line: this.#at });
        from += 2;
      }
    }
    for (;;) {
      const newline = this.#boundaries.isEmpty ? -1 : this.#findLine(buffer, from, find);
      if (newline < 0) {
        const whole = final || this.#boundaries.isEmpty;
        this.#emit(buffer, whole ? buffer.length : buffer.length - heldBack(buffer, from));
        return false;
      }
      // RFC 2046 section 5.1.1: the line end before the delimiter belongs to the delimiter.
      const textEnd = newline > this.#at && buffer[newline - 1] === cr ? newline - 1 : newline;
      const match = this.#delimiter(buffer, newline + 1, final);
      if (typeof match === 'object') return this.#take(buffer, match, { textEnd, line: newline + 1 });
      if (match === 'more') {
        this.#emit(buffer, textEnd);
        return false;
      }
      from = newline + 3;
      find = findDashesNearby;
    }
  }

  /** The next line end with two dashes after it that may begin a delimiter line. */
  #findLine(buffer: Buffer, from: number, find: typeof findDashes): number {
    let newline = find(buffer, from);
    while (newline >= 0 && this.#boundaries.beginning(buffer, newline + 3) === 'none') {
      if (this.#boundaries.beginsWith(buffer[newline + 3]!) && this.#isTooMuch('similarLines', 1)) return -1;
      newline = findDashesNearby(buffer, newline + 3);
    }
    return newline;
  }

  #take(buffer: Buffer, match: Match, { textEnd, line }: { readonly textEnd: number; readonly line: number }): boolean {
    this.#emit(buffer, textEnd);
    if (this.#leaf) this.#sink.leafEnds(this.#base + textEnd, this.#base + line);
    this.#leaf = false;
    this.#sink.literal(buffer.subarray(textEnd, match.end));
    this.#at = match.end;
    this.#follow(match, this.#base + line);
    return true;
  }

  #emit(buffer: Buffer, end: number): void {
    if (end <= this.#at) return;
    const bytes = buffer.subarray(this.#at, end);
    this.#at = end;
    if (this.#leaf) this.#sink.leafData(bytes);
    else this.#sink.literal(bytes);
  }

  /** Whether the line that begins with these two dashes is a delimiter of a multipart that is open. */
  #delimiter(buffer: Buffer, line: number, final: boolean): Match | 'none' | 'more' {
    const start = line + 2;
    const beginning = this.#boundaries.beginning(buffer, start);
    if (beginning !== 'boundary') return beginning === 'cut' && !final ? 'more' : 'none';
    const window = buffer.subarray(start, line + maxDelimiterLine);
    const newline = window.indexOf(lf);
    if (newline < 0 && !final && window.length < maxDelimiterLine - 2) return 'more';
    const whole = newline >= 0 || (final && start + window.length === buffer.length);
    const text = trimPadding(window.toString('latin1', 0, newline < 0 ? window.length : newline));
    const end = newline < 0 ? buffer.length : start + newline + 1;
    if (whole) {
      const level = this.#boundaries.find(text);
      if (level !== undefined) return { level, closing: false, end };
      const closed = text.endsWith('--') ? this.#boundaries.find(text.slice(0, -2)) : undefined;
      if (closed !== undefined) return { level: closed, closing: true, end };
    }
    if (this.#leaf) this.#sink.leafIsAmbiguous();
    this.#isTooMuch('nearMissLines', 1);
    return 'none';
  }

  /** Counts structure. When the limit is passed, everything that was not passed on yet becomes literal. */
  #isTooMuch(kind: Structure, amount: number): boolean {
    const reason = this.#budget.spend(kind, amount);
    if (reason === undefined) return false;
    this.#leaf = false;
    this.#boundaries.close(0);
    this.#state = 'body';
    this.#sink.tooMuch(reason);
    return true;
  }

  /** Goes on after a delimiter line: with the next part, or with what follows the multipart. */
  #follow({ level, closing }: Match, delimiterAt: number): void {
    const keep = closing ? level : level + 1;
    const container = this.#boundaries.container(level);
    this.#boundaries.close(keep);
    this.#lineStart = true;
    this.#state = closing ? 'body' : 'header';
    if (closing) return;
    container.parts += 1;
    if (this.#isTooMuch('parts', 1)) return;
    this.#container = container;
    this.#delimiterAt = delimiterAt;
  }

  /** The header of an entity has been read. */
  #enter(head: PartHead, positions: { readonly headerAt: number; readonly bodyAt: number }): void {
    const container = this.#container;
    const reading = readEntity(head, {
      container,
      maxDepth: this.#limits.maxDepth,
      boundaries: this.#boundaries.names(),
    });
    this.#lineStart = true;
    this.#state = 'body';
    if (reading.kind === 'leaf') {
      this.#beginLeaf(head, { ...positions, opaque: reading.opaque });
      return;
    }
    this.#container = {
      kind: reading.kind,
      type: effectiveType(head, container),
      parent: container,
      depth: container.depth + 1,
      section: reading.kind === 'multipart' && container.kind === 'message' ? container.section : sectionOf(container),
      parts: reading.kind === 'message' ? 1 : 0,
    };
    if (reading.kind === 'multipart') {
      this.#boundaries.open(reading.boundary, this.#container);
    } else if (!this.#isTooMuch('parts', 1)) {
      this.#state = 'header';
      this.#delimiterAt = positions.bodyAt;
    }
  }

  #beginLeaf(head: PartHead, begun: Pick<Leaf, 'headerAt' | 'bodyAt' | 'opaque'>): void {
    this.#state = 'body';
    this.#lineStart = true;
    this.#leaf = true;
    const container = this.#container;
    this.#sink.leafBegins({
      container,
      section: sectionOf(container),
      head,
      delimiterAt: container.kind === 'message' ? begun.headerAt : this.#delimiterAt,
      ...begun,
    });
  }
}

const noHeader: PartHead = parsePartHead(Buffer.alloc(0));

/** The section number of the newest part of a container. */
function sectionOf(container: Container): string {
  return container.section === '' ? `${container.parts}` : `${container.section}.${container.parts}`;
}

/** RFC 2046 section 5.1.1, transport padding: blanks after the boundary do not count. */
function trimPadding(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r'.includes(line[end - 1]!)) end--;
  return line.slice(0, end);
}

const lineOfDashes = Buffer.from('\n--');

/** The next line end with two dashes after it. Base64 has no dashes, and one byte is found in a tenth of the time. */
function findDashes(buffer: Buffer, from: number): number {
  const first = buffer.indexOf(dash, from);
  return first < 0 ? -1 : buffer.indexOf(lineOfDashes, Math.max(from, first - 1));
}

/** Bytes that are searched one by one first: a call of the library costs more than that. */
const nearby = 256;

/** As `findDashes`, and fast where such lines follow one another closely. */
function findDashesNearby(buffer: Buffer, from: number): number {
  const end = Math.min(buffer.length - 2, from + nearby);
  let at = from;
  while (at < end && !(buffer[at] === lf && buffer[at + 1] === dash && buffer[at + 2] === dash)) at += 1;
  return at < end ? at : findDashes(buffer, at);
}

/** How many bytes at the end may be the beginning of CRLF and two dashes. */
function heldBack(buffer: Buffer, from: number): number {
  const tail = buffer.toString('latin1', Math.max(from, buffer.length - 3));
  return /\r?\n-?$|\r$/.exec(tail)?.[0].length ?? 0;
}
