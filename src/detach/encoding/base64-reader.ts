/**
 * Decodes base64 (RFC 2045 section 6.8) and learns its layout.
 *
 * There are two paths. Blocks of lines that look like the lines before are checked and decoded at once. The rest is
 * read token by token, and decoded when its line has ended. Keeps at most `maxUndecoded` and one token of undecoded
 * characters, and the layout, which is bounded by `maxRecipeBytes`.
 */
import type { DecodedFile, Reader } from './reader.ts';
import { maxRecipeBytes, runCost, type LineRun, type Recipe } from './recipe.ts';

/** Encoded bytes per step of the fast path: together with the decoded bytes they fit into a processor's cache. */
const maxStep = 64 * 1024;

/** Characters of a line that wait for its end, so that a line that chunks cut in two is still decoded in one call. */
const maxUndecoded = 1024;

/** Characters that are read token by token in one step, and after how many of them the fast path is tried again. */
const maxTokenStep = 16 * 1024;
const minTokenStep = 1024;

/** A longer separator is read token by token. */
const maxSeparator = 8;

const token = /[A-Za-z0-9+/]+|[\r\n\t ]+|=/y;

export class Base64Reader implements Reader {
  readonly #file: DecodedFile;
  readonly #runs: [chars: number, separator: string, count: number][] = [];
  #cost = 0;
  /** The line under way: its characters so far, and the separator after them so far. */
  #chars = 0;
  #separator = '';
  #undecoded = '';
  #padding = '';
  #failed = false;

  constructor(file: DecodedFile) {
    this.#file = file;
  }

  push(bytes: Buffer): number {
    let at = 0;
    let slowUntil = 0;
    while (at < bytes.length && !this.#failed) {
      const lines = at < slowUntil ? 0 : this.#regularLines(bytes, at);
      if (lines > 0) {
        const end = at + lines * (this.#chars + this.#separator.length);
        if (this.#takeLines(bytes.subarray(at, end), lines)) at = end;
        else slowUntil = end;
        continue;
      }
      const lf = bytes.indexOf(0x0a, at);
      const end = Math.min(bytes.length, at + maxTokenStep, lf < 0 ? Infinity : lf + 1);
      at += this.#takeTokens(bytes.toString('latin1', at, end));
    }
    return at;
  }

  finish(): boolean {
    if (this.#failed) return false;
    this.#decode();
    const rest = this.#undecoded.length;
    // A single character is six bits of a byte that got lost. Padding closes a group of four or is missing.
    if (rest === 1 || (rest === 0 ? this.#padding !== '' : rest + this.#padding.length > 4)) return false;
    if (rest > 0) this.#file.append(Buffer.from(this.#undecoded, 'base64'));
    return true;
  }

  get recipe(): Recipe {
    const lines: LineRun[] = this.#runs.map(([chars, separator, count]) => [chars, separator, count]);
    if (this.#chars > 0 || this.#separator !== '') lines.push([this.#chars, this.#separator, 1]);
    return { encoding: 'base64', tail: this.#undecoded + this.#padding, lines };
  }

  /** How many lines from here on are as long as the one just finished and end as it does, in whole groups of four. */
  #regularLines(bytes: Buffer, start: number): number {
    const chars = this.#chars;
    const separator = this.#separator;
    if (separator === '' || separator.length > maxSeparator) return 0;
    if (chars === 0 || this.#undecoded !== '' || this.#padding !== '') return 0;
    const stride = chars + separator.length;
    const limit = Math.floor(Math.min(bytes.length - start, maxStep) / stride);
    const first = separator.charCodeAt(0);
    const last = separator.charCodeAt(separator.length - 1);
    let lines = 0;
    for (let end = start + stride; lines < limit; end += stride) {
      // Two comparisons settle the usual separators. A loop for each line costs 3 ms more for a file of 25 MiB.
      if (bytes[end - 1] !== last || bytes[end - separator.length] !== first) break;
      if (separator.length > 2 && !standsAt(bytes, end - separator.length, separator)) break;
      lines++;
    }
    const group = chars % 4 === 0 ? 1 : chars % 2 === 0 ? 2 : 4;
    return lines - (lines % group);
  }

  /**
   * The library's decoder skips characters that are not base64, and the result is then too short. It reads the two
   * characters of base64url (RFC 4648 section 5) as `+` and `/`, so only these two must be searched for.
   */
  #takeLines(block: Buffer, lines: number): boolean {
    if (block.includes(0x2d) || block.includes(0x5f)) return false;
    if (!this.#file.appendBase64(block.toString('latin1'), (lines * this.#chars * 3) / 4)) return false;
    this.#addRun(this.#chars, this.#separator, lines);
    return true;
  }

  #takeTokens(text: string): number {
    token.lastIndex = 0;
    let at = 0;
    let match: RegExpExecArray | null;
    while ((match = token.exec(text))) {
      const [found] = match;
      const first = found.charCodeAt(0);
      if (first <= 0x20) {
        this.#separator += found;
        this.#decode();
      } else {
        if (first === 0x3d ? this.#padding.length === 2 : this.#padding !== '') break;
        if (this.#separator !== '') this.#endLine();
        if (this.#failed) return at;
        if (first === 0x3d) this.#padding += found;
        else this.#undecoded += found;
        if (this.#undecoded.length > maxUndecoded) this.#decode();
        this.#chars += found.length;
      }
      if (this.#cost + this.#separator.length * 2 > maxRecipeBytes) {
        this.#failed = true;
        return token.lastIndex;
      }
      at = token.lastIndex;
      if (at >= minTokenStep && first <= 0x20 && this.#undecoded === '') return at;
    }
    if (at < text.length) this.#failed = true;
    return at;
  }

  #decode(): void {
    const text = this.#undecoded;
    const whole = text.length - (text.length % 4);
    if (whole === 0) return;
    this.#file.appendBase64(text.slice(0, whole), (whole / 4) * 3);
    this.#undecoded = text.slice(whole);
  }

  #endLine(): void {
    this.#addRun(this.#chars, this.#separator, 1);
    this.#chars = 0;
    this.#separator = '';
    if (this.#cost > maxRecipeBytes) this.#failed = true;
  }

  #addRun(chars: number, separator: string, count: number): void {
    const last = this.#runs.at(-1);
    if (last?.[0] === chars && last[1] === separator) last[2] += count;
    else {
      this.#runs.push([chars, separator, count]);
      this.#cost += runCost + separator.length * 2;
    }
  }
}

function standsAt(bytes: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
