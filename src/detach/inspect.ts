/**
 * Reads a message as detaching does and says of each part why it stays or goes, without changing anything. It uses the
 * scanner, reader and policy of `incoming-message.ts`, and besides remembers every part.
 */
import type { HeaderBlock } from '../message/header-block.ts';
import { MessageReader } from './message-reader.ts';
import { excessIn, readPartHead } from './mime/part-head.ts';
import { MimeScanner, type Sink } from './mime/scanner.ts';
import { effectiveType, type Container, type Leaf } from './mime/structure.ts';
import { judge, nameOf, type Reason, type Rules } from './policy.ts';
import { receiveHeader } from './receive-header.ts';
import type { Spool } from './spool/spool.ts';
import { Tape } from './spool/tape.ts';

export interface InspectedLeaf {
  readonly container: Container;
  /** IMAP section number. */
  readonly section: string;
  readonly type: string;
  /** As a link would call it; undefined: the part gives itself no name. */
  readonly name: string | undefined;
  /** Bytes of the body as it stands in the message. */
  readonly bytes: number;
  /** Decoded bytes and SHA-256 in hex of what was decoded to be detached. */
  readonly file: { readonly size: number; readonly sha256: string } | undefined;
  /** Why it stays; undefined: nothing speaks against detaching it. */
  readonly reason: Reason | undefined;
}

export interface Inspection {
  readonly header: HeaderBlock;
  readonly leaves: readonly InspectedLeaf[];
  /** Fields of the message's own header; lines that are no fields. A message with such lines is never changed. */
  readonly fields: number;
  readonly brokenLines: number;
}

/** @throws Failure headerTooLarge, spoolFull, and whatever the source rejects with */
export async function inspect(
  message: AsyncIterable<Buffer>,
  { rules, spool }: { readonly rules: Rules; readonly spool: Spool },
): Promise<Inspection> {
  const source = message[Symbol.asyncIterator]();
  const { header, rest } = await receiveHeader(source);
  const tape = new Tape(spool);
  try {
    const inspector = new Inspector(tape, rules);
    const scanner = new MimeScanner(readPartHead(header), inspector, { maxDepth: rules.maxDepth });
    scanner.push(rest.subarray('\r\n'.length));
    for (let next = await source.next(); next.done !== true; next = await source.next()) {
      scanner.push(next.value);
      await tape.drain();
    }
    scanner.end();
    const brokenLines = header.fields.filter(({ key }) => key === '').length;
    return {
      header,
      leaves: await inspector.finish(header),
      fields: header.fields.length - brokenLines,
      brokenLines,
    };
  } finally {
    await tape.release();
  }
}

interface Remembered {
  readonly leaf: Leaf;
  readonly bytes: number;
  readonly reason: Reason | undefined;
}

/** Passes everything on to the reader, and records the outcome of each leaf. */
class Inspector implements Sink {
  readonly #rules: Rules;
  readonly #reader: MessageReader;
  readonly #remembered: Remembered[] = [];
  #leaf: Leaf | undefined;
  #reason: Reason | undefined;

  constructor(tape: Tape, rules: Rules) {
    this.#rules = rules;
    this.#reader = new MessageReader(tape, rules, { onLeft: (reason) => (this.#reason = reason) });
  }

  literal(bytes: Buffer): void {
    this.#reader.literal(bytes);
  }

  leafBegins(leaf: Leaf): void {
    this.#leaf = leaf;
    this.#reason = undefined;
    this.#reader.leafBegins(leaf);
  }

  leafData(bytes: Buffer): void {
    this.#reader.leafData(bytes);
  }

  leafIsAmbiguous(): void {
    this.#reader.leafIsAmbiguous();
  }

  tooMuch(reason: string): void {
    this.#reader.tooMuch(reason);
  }

  leafEnds(end: number, next: number): void {
    const leaf = this.#leaf!;
    this.#reader.leafEnds(end, next);
    this.#remembered.push({ leaf, bytes: end - leaf.bodyAt, reason: this.#reason });
  }

  async finish(messageHeader: HeaderBlock): Promise<InspectedLeaf[]> {
    const message = this.#reader.finish(messageHeader);
    const { files } = message;
    /** Why the whole message stays as it is. */
    const limit = excessIn(messageHeader) ?? message.limit;
    const reasons = judge(
      files.map(({ candidate }) => candidate),
      this.#rules,
    );
    const hashes = await Promise.all(files.map(({ digest }) => digest));
    const fileOf = new Map(files.map((file, i) => [file.leaf, { ...file.candidate, i }]));
    return this.#remembered.map(({ leaf, bytes, reason }) => {
      const { container, section, head } = leaf;
      const file = fileOf.get(leaf);
      const isNamed = head.fileName !== undefined || head.typeName !== undefined;
      return {
        container,
        section,
        type: effectiveType(head, container),
        name: isNamed || file ? nameOf(leaf).name : undefined,
        bytes,
        file: file && { size: file.size, sha256: hashes[file.i]!.sha256 },
        // The reader gives no reason for texts.
        reason: limit ?? (file ? reasons[file.i] : (reason ?? 'text')),
      };
    });
  }
}
