/**
 * Finds the line where the newest text of a body ends. Below it stand quoted or forwarded texts of other authors, or
 * the signature.
 */
import {
  fold,
  headerLines,
  isAboveHeader,
  isAttribution,
  isDeviceLine,
  isFromLine,
  isListLine,
  isSalutation,
  isSeparator,
  isWholeAttribution,
  opensAttribution,
  opensWholeAttribution,
  startsFooter,
  startsGroupWise,
  startsHeader,
  startsOldMessage,
} from './markers.ts';

export interface Line {
  readonly text: string;
  /** Marked by a character at its start or by an element around it. */
  readonly isQuoted?: boolean;
  /** An element says that an older message begins here and goes on to the end. */
  readonly isOld?: boolean;
  /** A rule is drawn above it. */
  readonly isRuled?: boolean;
  /** An element says that a signature begins here. */
  readonly isSignature?: boolean;
}

export type Position = 'newest' | 'top' | 'end';

/**
 * Lines of one text that are looked at: the text of a person has some hundred. In a text with more the newest text ends
 * among these, or at the end of all. Each line costs a few microseconds, and the event loop waits.
 */
export const maxLines = 5000;

/** The line before which the notice goes; the number of lines: after all of them. `most`: lines that are looked at. */
export function findLine(
  lines: readonly Line[],
  { position, most }: { readonly position: Position; readonly most: number },
): number {
  if (position === 'top') return 0;
  const looked = lines.length > most ? lines.slice(0, most) : lines;
  const found = findAmong(looked, position);
  return found === looked.length ? lines.length : found;
}

function findAmong(lines: readonly Line[], position: Exclude<Position, 'top'>): number {
  const text = new Text(lines);
  const newest = text.newestEnd();
  if (position === 'newest') return newest.signature ?? newest.end;
  return newest.isLast ? (newest.signature ?? newest.end) : lines.length;
}

/** Least length of a quoted line that may have been wrapped, and greatest length of its remainder. */
const minWrappedLength = 60;
const maxRestLength = 30;

const maxFooterLines = 12;

class Text {
  readonly #lines: readonly Line[];
  readonly #folded: readonly string[];

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
    this.#folded = lines.map(({ text }) => fold(text));
  }

  /** `isLast`: nothing but what a list server added stands below it. */
  newestEnd(): { readonly end: number; readonly signature: number | undefined; readonly isLast: boolean } {
    const oldAt = this.#oldAt();
    const { from, to } = this.#newest(oldAt);
    const isLast = to === this.#lines.length;
    const end = isLast ? this.#listFooter(from) : to;
    return { end, signature: this.#signature(from, end), isLast };
  }

  /** Where what a list server added begins; the number of lines: there is none. */
  #listFooter(from: number): number {
    const { length } = this.#lines;
    const first = Math.max(from, length - maxFooterLines);
    for (let i = length - 1; i >= first; i--) {
      if (!startsFooter(this.#folded[i]!)) continue;
      const isOfList = this.#folded.slice(i + 1).some(isListLine);
      return isOfList && this.#words(from, i).length > 0 ? i : length;
    }
    return length;
  }

  /** Where an older message begins that goes on to the end. */
  #oldAt(): number {
    const at = this.#lines.findIndex((line, i) =>
      line.isQuoted ? startsGroupWise(this.#folded[i]!) : this.#startsOld(line, i),
    );
    if (at < 0) return this.#lines.length;
    const above = this.#lastInk(at - 1);
    return above !== undefined && isAboveHeader(this.#folded[above]!) ? above : at;
  }

  #startsOld(line: Line, i: number): boolean {
    const folded = this.#folded[i]!;
    if (folded === '') return line.isOld === true;
    if (line.isOld || startsOldMessage(folded) || (line.isRuled && isFromLine(folded))) return true;
    if (startsHeader(this.#folded.slice(i, i + headerLines))) return true;
    if (!opensWholeAttribution(folded)) return false;
    return [1, 2, 3].some(
      (count) =>
        this.#endsInColon(i + count - 1) &&
        isWholeAttribution(this.#joined(i, i + count)) &&
        !this.#isQuoteNear(i + count),
    );
  }

  #endsInColon = (at: number): boolean => /[:：]$/.test(this.#folded[at] ?? '');

  #joined = (from: number, to: number): string => this.#folded.slice(from, to).join(' ');

  #isQuoteNear(at: number): boolean {
    return this.#lines.slice(at, at + 3).some(({ isQuoted }) => isQuoted);
  }

  /** The newest text before `limit`: above the quotation, or below and between its lines when the answers are there. */
  #newest(limit: number): { readonly from: number; readonly to: number } {
    const runs = this.#quotedRuns(limit);
    const [first] = runs;
    const last = runs.at(-1);
    if (first === undefined || last === undefined) return { from: 0, to: limit };
    const above = this.#words(0, first.from);
    const below = this.#below(last.to, limit);
    const isInline = runs.length > 1 || (below > 0 && this.#isSalutation(above));
    if (!isInline) return { from: 0, to: first.from };
    if (below > 0) return { from: last.to, to: limit };
    const before = runs.at(-2);
    return { from: before?.to ?? 0, to: last.from };
  }

  /** Runs of quoted lines with words between them. Each run includes the line that names its author. */
  #quotedRuns(limit: number): { from: number; to: number }[] {
    const runs: { from: number; to: number }[] = [];
    for (let i = 0; i < limit; i++) {
      if (!this.#lines[i]!.isQuoted) continue;
      const last = runs.at(-1);
      const from = this.#attributionBefore(i, last?.to ?? 0);
      if (last !== undefined && this.#words(last.to, from).length === 0) last.to = i + 1;
      else runs.push({ from, to: i + 1 });
    }
    return runs;
  }

  #attributionBefore(quote: number, limit: number): number {
    const last = this.#lastInk(quote - 1, limit);
    if (last === undefined || quote - last > 3) return quote;
    for (let from = last; from >= limit && from > last - 3 && this.#folded[from] !== ''; from--) {
      const joined = this.#joined(from, last + 1);
      if (opensAttribution(joined) && isAttribution(joined)) return from;
    }
    return isAttribution(this.#folded[last]!) ? last : quote;
  }

  /** Lines of words. The short remainder of a wrapped quoted line, which follows at once, does not count. */
  #words(from: number, to: number): number[] {
    let i = from;
    const above = this.#lines[from - 1]?.text ?? '';
    if (above.startsWith('>') && above.length > minWrappedLength && i < to && this.#isRest(i)) i++;
    const found: number[] = [];
    for (; i < to; i++) if (this.#folded[i] !== '') found.push(i);
    return found;
  }

  #isRest = (i: number): boolean => this.#folded[i] !== '' && this.#folded[i]!.length < maxRestLength;

  #isSalutation(above: readonly number[]): boolean {
    return above.length === 0 || (above.length === 1 && isSalutation(this.#folded[above[0]!]!));
  }

  /** Lines of words below the last quoted one, without a signature and the footer of a list server. */
  #below(from: number, to: number): number {
    const words = this.#words(from, to);
    const end = words.findIndex(
      (i) => startsFooter(this.#folded[i]!) || this.#isSignatureLine(i) || isDeviceLine(this.#folded[i]!),
    );
    return end < 0 ? words.length : end;
  }

  #isSignatureLine = (i: number): boolean => this.#lines[i]!.isSignature === true || isSeparator(this.#lines[i]!.text);

  #signature(from: number, to: number): number | undefined {
    for (let i = from; i < to; i++) if (this.#isSignatureLine(i)) return i;
    const last = this.#lastInk(to - 1, from);
    return last !== undefined && isDeviceLine(this.#folded[last]!) ? last : undefined;
  }

  #lastInk(at: number, limit = 0): number | undefined {
    for (let i = at; i >= limit; i--) if (this.#folded[i] !== '') return i;
    return undefined;
  }
}
