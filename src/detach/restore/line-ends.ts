/** Restores CRLF line ends where a mailbox stored LF alone. The first line decides. */
export class LineEnds {
  #form: 'crlf' | 'lf' | undefined;
  #last = 0;

  convert(chunk: Buffer): Buffer {
    const form = this.#form ?? this.#decide(chunk);
    this.#last = chunk.at(-1) ?? this.#last;
    if (form !== 'lf') return chunk;
    // A lone CR is part of the text, even in front of a line end.
    return Buffer.from(chunk.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
  }

  #decide(chunk: Buffer): 'crlf' | 'lf' | undefined {
    const lf = chunk.indexOf(0x0a);
    if (lf < 0) return undefined;
    this.#form = (lf > 0 ? chunk[lf - 1] : this.#last) === 0x0d ? 'crlf' : 'lf';
    return this.#form;
  }
}
