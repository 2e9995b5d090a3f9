import type { Reply } from './reply.ts';

/** Longest reply line, CRLF included. RFC 5321 section 4.5.3.1.5 says 512; servers that quote addresses say more. */
const maxLineOctets = 4096;
/** Longest reply, all its lines together: what a next hop can make us keep before we give it up. */
const maxReplyOctets = 65536;

const cr = 0x0d;
const dash = 0x2d;
const space = 0x20;
const zero = 0x30;

/** The peer broke the reply syntax: nothing after this point can be matched to a command. */
export class ReplySyntaxError extends Error {
  override readonly name = 'ReplySyntaxError';
}

/**
 * Reads replies (RFC 5321 section 4.2) out of whatever pieces the network delivers.
 *
 * Buffers at most one line and the lines of one reply, both bounded. A line may end in a bare LF (some servers do),
 * but a CR or NUL inside a line is an error: relayed to a client it would look like a reply of its own.
 */
export class ReplyParser {
  #rest = '';
  #code = 0;
  #lines: string[] = [];
  #octets = 0;

  /** Calls `onReply` for each reply completed by this chunk. @throws ReplySyntaxError, for good */
  push(chunk: Buffer, onReply: (reply: Reply) => void): void {
    const searchFrom = this.#rest.length;
    const text = this.#rest + chunk.toString('latin1');
    let start = 0;
    let lf = text.indexOf('\n', searchFrom);
    while (lf >= 0) {
      const octets = lf + 1 - start;
      if (octets > maxLineOctets) throw new ReplySyntaxError(`reply line is longer than ${maxLineOctets} octets`);
      this.#octets += octets;
      if (this.#octets > maxReplyOctets) throw new ReplySyntaxError(`reply is longer than ${maxReplyOctets} octets`);
      const end = lf > start && text.charCodeAt(lf - 1) === cr ? lf - 1 : lf;
      const reply = this.#line(text.slice(start, end));
      if (reply) onReply(reply);
      start = lf + 1;
      lf = text.indexOf('\n', start);
    }
    this.#rest = start === 0 ? text : text.slice(start);
    if (this.#rest.length >= maxLineOctets) {
      throw new ReplySyntaxError(`reply line is longer than ${maxLineOctets} octets`);
    }
  }

  #line(line: string): Reply | undefined {
    const code = codeOf(line);
    // A server may leave out the text, and the space with it (RFC 5321 section 4.2).
    const separator = line.length === 3 ? space : line.charCodeAt(3);
    if (code < 0 || (separator !== space && separator !== dash) || line.includes('\r') || line.includes('\0')) {
      throw new ReplySyntaxError(`not a reply line: ${JSON.stringify(line.slice(0, 200))}`);
    }
    if (this.#lines.length > 0 && code !== this.#code) {
      throw new ReplySyntaxError(`reply changes its code from ${this.#code} to ${code}`);
    }
    this.#code = code;
    this.#lines.push(line.slice(4));
    if (separator === dash) return undefined;
    const reply = { code, lines: this.#lines };
    this.#lines = [];
    this.#octets = 0;
    return reply;
  }
}

/** The three digits, -1 when they are none. The first is 2 to 5 (RFC 5321 section 4.2.1). */
function codeOf(line: string): number {
  const a = line.charCodeAt(0) - zero;
  const b = line.charCodeAt(1) - zero;
  const c = line.charCodeAt(2) - zero;
  const valid = a >= 2 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9;
  return valid ? a * 100 + b * 10 + c : -1;
}
