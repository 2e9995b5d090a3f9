export interface SmtpReply {
  readonly code: number;
  /** Without codes and line ends, as byte strings. */
  readonly lines: readonly string[];
  /** As received, lines joined with LF. */
  readonly text: string;
}

const lfByte = 0x0a;
const crlf = Buffer.from('\r\n');
const endOfData = Buffer.from('\r\n.\r\n');
const noBytes: Buffer = Buffer.alloc(0);

/**
 * Divides what an SMTP peer sends into lines, replies and messages, however it was divided into packets. Holds what was
 * not taken yet. It is independent of our own reply parser, which the tests test.
 */
export class WireText {
  #pending: Buffer = noBytes;
  /** Where to search for the next LF: the bytes before were searched. */
  #looked = 0;
  #inMessage = false;
  #replyLines: string[] = [];

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
  }

  get length(): number {
    return this.#pending.length;
  }

  /** The next line with its line end, a byte string; undefined when it is not complete. */
  takeLine(): string | undefined {
    const end = this.#pending.indexOf(lfByte, this.#looked);
    if (end < 0) {
      this.#looked = this.#pending.length;
      return undefined;
    }
    return this.take(end + 1)!.toString('latin1');
  }

  /** The next complete reply (RFC 5321 section 4.2.1): the last line has no hyphen after its code. */
  takeReply(): SmtpReply | undefined {
    for (let line = this.takeLine(); line !== undefined; line = this.takeLine()) {
      const said = line.replace(/\r?\n$/, '');
      this.#replyLines.push(said);
      if (said[3] === '-') continue;
      const all = this.#replyLines;
      this.#replyLines = [];
      return { code: Number(said.slice(0, 3)), lines: all.map((one) => one.slice(4)), text: all.join('\n') };
    }
    return undefined;
  }

  /** These bytes, once all of them are there. */
  take(count: number): Buffer | undefined {
    if (this.#pending.length < count) return undefined;
    const taken = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    this.#looked = 0;
    return taken;
  }

  takeAll(): Buffer {
    return this.take(this.#pending.length) ?? noBytes;
  }

  /**
   * A piece of the message, dots still stuffed, and whether the message ended. The final dot is taken too; the CRLF
   * before it belongs to the message. Call it again with more bytes until it ended.
   */
  takeMessage(): { readonly bytes: Buffer; readonly ended: boolean } {
    // Adds the line end of the 354: an empty message is then a lone dot.
    if (!this.#inMessage) this.#pending = Buffer.concat([crlf, this.#pending]);
    const skip = this.#inMessage ? 0 : crlf.length;
    const end = this.#pending.indexOf(endOfData);
    this.#inMessage = end < 0;
    if (end >= 0) {
      const bytes = this.take(end + endOfData.length)!.subarray(skip, end + crlf.length);
      return { bytes, ended: true };
    }
    // Keeps what may be the beginning of the final dot; the first CRLF too, until something follows.
    const settled = Math.max(0, this.#pending.length - endOfData.length + 1);
    if (settled < skip) {
      this.#pending = this.#pending.subarray(skip);
      this.#inMessage = false;
      return { bytes: noBytes, ended: false };
    }
    return { bytes: this.take(settled)!.subarray(skip), ended: false };
  }
}
