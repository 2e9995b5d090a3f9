/**
 * Finds the parts of a message (RFC 2046) in its body, wherever the chunks are cut.
 *
 * Holds back what may turn out to be a delimiter line (at most `maxDelimiterLine`) or a part's header (at most
 * `maxPartHeader`); everything else goes to the sink at once, in order, every byte exactly once. Never throws: what
 * is no valid structure is the text of the part it stands in.
 */
import { parsePartHead, type PartHead } from './part-head.ts';
import { effectiveType, readEntity, type Container, type Leaf } from './structure.ts';

export interface Sink {
  /** Bytes of the structure: delimiters, headers, preambles, epilogues. */
  literal(bytes: Buffer): void;
  leafBegins(leaf: Leaf): void;
  leafData(bytes: Buffer): void;
  /** `end` is where its body ends, `next` where the next delimiter line begins. */
  leafEnds(end: number, next: number): void;
  /** The leaf holds a line that some programs take for a delimiter and others do not. */
  leafIsAmbiguous(): void;
}

export interface ScannerLimits {
  /** How many containers are looked into, one inside the other. */
  readonly maxDepth: number;
}

const maxPartHeader = 16 * 1024;
const maxDelimiterLine = 1024;

/** What comes after so many parts is not looked at: no mail has them, and each costs as much as a small message. */
const maxParts = 20_000;

const lf = 0x0a;
const cr = 0x0d;
const dash = 0x2d;

const nothing: Buffer = Buffer.alloc(0);

interface Level {
  readonly boundary: string;
  readonly container: Container;
}

interface Match {
  readonly level: number;
  readonly closing: boolean;
  /** After the line. */
  readonly end: number;
}

export class MimeScanner {
  readonly #sink: Sink;
  readonly #limits: ScannerLimits;
  readonly #levels: Level[] = [];
  readonly #levelOf = new Map<string, number>();
  /** By the first octets of the boundaries that are open: most lines of two dashes are none of theirs. */
  readonly #firsts = new Uint16Array(256);
  #parts = 0;
  #held = nothing;
  /** Position of the first byte of the buffer at hand, and how much of that is done. */
  #base = 0;
  #at = 0;
  #state: 'header' | 'body' = 'body';
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
    while (this.#state === 'header' ? this.#header(buffer, final) : this.#body(buffer, final));
    this.#base += this.#at;
    // A copy: a view, even of nothing, would keep all of the chunk in memory.
    this.#held = this.#at < buffer.length ? Buffer.from(buffer.subarray(this.#at)) : nothing;
  }

  /** Takes the header of a part once all of it is there. False: more bytes are needed. */
  #header(buffer: Buffer, final: boolean): boolean {
    const start = this.#at;
    let line = start;
    for (;;) {
      const newline = buffer.indexOf(lf, line);
      const end = newline < 0 ? buffer.length : newline + 1;
      if (end - start > maxPartHeader) {
        this.#sink.literal(buffer.subarray(start, line));
        this.#at = line;
        this.#beginLeaf(noHeader, { headerAt: this.#base + start, bodyAt: this.#base + line }, 'header too large');
        return true;
      }
      if (newline < 0 && !final) return false;
      const match = buffer[line] === dash && buffer[line + 1] === dash ? this.#delimiter(buffer, line, final) : 'none';
      if (typeof match === 'object') {
        // RFC 2046 section 5.1: a part that ends within its header has no body.
        this.#sink.literal(buffer.subarray(start, match.end));
        this.#at = match.end;
        // A delimiter written twice: some programs see an empty part between the two, and others none.
        const doubled = line === start && !match.closing && this.#levels[match.level]!.container === this.#container;
        if (doubled) this.#lineStart = true;
        else this.#follow(match, this.#base + line);
        return true;
      }
      if (end === line || newline === line || (newline === line + 1 && buffer[line] === cr)) {
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
    if (this.#levels.length === 0) {
      this.#emit(buffer, buffer.length);
      return false;
    }
    if (this.#lineStart) {
      const begin = buffer.subarray(this.#at, this.#at + 2).toString('latin1');
      if (begin.length < 2 && '--'.startsWith(begin) && !final) return false;
      this.#lineStart = false;
      if (begin === '--') {
        const match = this.#delimiter(buffer, this.#at, final);
        if (match === 'more') {
          this.#lineStart = true;
          return false;
        }
        if (typeof match === 'object') return this.#take(buffer, this.#at, match, this.#at);
        this.#emit(buffer, this.#at + 2);
      }
    }
    for (;;) {
      const newline = findDashes(buffer, this.#at);
      if (newline < 0) {
        this.#emit(buffer, final ? buffer.length : buffer.length - heldBack(buffer, this.#at));
        return false;
      }
      // RFC 2046 section 5.1.1: the line end before the delimiter belongs to the delimiter.
      const textEnd = newline > this.#at && buffer[newline - 1] === cr ? newline - 1 : newline;
      const match = this.#delimiter(buffer, newline + 1, final);
      if (typeof match === 'object') return this.#take(buffer, textEnd, match, newline + 1);
      this.#emit(buffer, match === 'more' ? textEnd : newline + 3);
      if (match === 'more') return false;
    }
  }

  #take(buffer: Buffer, textEnd: number, match: Match, line: number): boolean {
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
    if (start < buffer.length && this.#firsts[buffer[start]!] === 0) return 'none';
    const window = buffer.subarray(start, line + maxDelimiterLine);
    const newline = window.indexOf(lf);
    if (newline < 0 && !final && window.length < maxDelimiterLine - 2) return 'more';
    const whole = newline >= 0 || (final && start + window.length === buffer.length);
    const text = trimPadding(window.toString('latin1', 0, newline < 0 ? window.length : newline));
    const end = newline < 0 ? buffer.length : start + newline + 1;
    if (whole) {
      const level = this.#levelOf.get(text);
      if (level !== undefined) return { level, closing: false, end };
      const closed = text.endsWith('--') ? this.#levelOf.get(text.slice(0, -2)) : undefined;
      if (closed !== undefined) return { level: closed, closing: true, end };
    }
    if (this.#leaf && this.#levels.some(({ boundary }) => text.startsWith(boundary))) this.#sink.leafIsAmbiguous();
    return 'none';
  }

  /** Goes on after a delimiter line: with the next part, or with what follows the multipart. */
  #follow({ level, closing }: Match, delimiterAt: number): void {
    const keep = closing ? level : level + 1;
    const { container } = this.#levels[level]!;
    this.#close(keep);
    this.#lineStart = true;
    this.#state = closing ? 'body' : 'header';
    if (closing) return;
    container.parts += 1;
    this.#parts += 1;
    if (this.#parts > maxParts) {
      this.#close(0);
      this.#state = 'body';
    }
    this.#container = container;
    this.#delimiterAt = delimiterAt;
  }

  /** The header of an entity has been read. */
  #enter(head: PartHead, positions: { readonly headerAt: number; readonly bodyAt: number }): void {
    const container = this.#container;
    const reading = readEntity(head, {
      container,
      maxDepth: this.#limits.maxDepth,
      boundaries: this.#levelOf.keys(),
    });
    this.#lineStart = true;
    this.#state = 'body';
    if (reading.kind === 'leaf') {
      this.#beginLeaf(head, positions, reading.opaque);
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
      this.#open(reading.boundary, this.#container);
    } else {
      this.#state = 'header';
      this.#delimiterAt = positions.bodyAt;
    }
  }

  #open(boundary: string, container: Container): void {
    this.#levelOf.set(boundary, this.#levels.length);
    this.#levels.push({ boundary, container });
    this.#firsts[boundary.charCodeAt(0) & 0xff]! += 1;
  }

  #close(keep: number): void {
    for (const { boundary } of this.#levels.splice(keep)) {
      this.#levelOf.delete(boundary);
      this.#firsts[boundary.charCodeAt(0) & 0xff]! -= 1;
    }
  }

  #beginLeaf(head: PartHead, positions: { headerAt: number; bodyAt: number }, opaque: string | undefined): void {
    this.#state = 'body';
    this.#lineStart = true;
    this.#leaf = true;
    const container = this.#container;
    this.#sink.leafBegins({
      container,
      section: sectionOf(container),
      head,
      delimiterAt: container.kind === 'message' ? positions.headerAt : this.#delimiterAt,
      ...positions,
      opaque,
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

/** How many bytes at the end may be the beginning of CRLF and two dashes. */
function heldBack(buffer: Buffer, from: number): number {
  const tail = buffer.toString('latin1', Math.max(from, buffer.length - 3));
  return /\r?\n-?$|\r$/.exec(tail)?.[0].length ?? 0;
}
