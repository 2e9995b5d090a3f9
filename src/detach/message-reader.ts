/**
 * Takes what the scanner finds and puts the message on a tape: structure and texts as they came, parts that may be
 * detached decoded, each once. `finish` gives the message as a list of pieces over that tape.
 *
 * Buffers at most `maxHeldBytes` of one part. The tape belongs to the caller, who waits for its `drain` between chunks:
 * nothing here waits.
 */
import { Base64Reader } from './encoding/base64-reader.ts';
import { QuotedReader } from './encoding/quoted-reader.ts';
import { DecodedFile, IdentityReader, type Reader } from './encoding/reader.ts';
import { recipeCost } from './encoding/recipe.ts';
import type { HeaderBlock } from '../message/header-block.ts';
import { containers, effectiveType, type Leaf } from './mime/structure.ts';
import type { Sink } from './mime/scanner.ts';
import {
  isBodyForm,
  isAttachment,
  nameOf,
  refusalByContent,
  refusalByHeader,
  smallestSize,
  watchedKind,
  type Candidate,
  type Reason,
  type Rules,
} from './policy.ts';
import { FileHashes } from './spool/file-hashes.ts';
import type { Tape } from './spool/tape.ts';
import { Mentions } from './mentions.ts';
import type { FilePiece, Piece, TapePiece } from './pieces.ts';
import { ReadMessage, type FilePart, type ReadLeaf } from './read-message.ts';
import { TextWatch } from './text-watch.ts';

/** Encoded bytes of a part that are held until it is long enough to be worth decoding. */
const maxHeldBytes = 64 * 1024;

/** Texts that are remembered as places for the notice. */
const maxTexts = 64;

interface OpenFile {
  readonly decoded: DecodedFile;
  readonly reader: Reader;
  readonly at: number;
  length: number;
  stopped: boolean;
}

/** What is known of a file when its part ends. Whether a text shows it may be known only at the end of the message. */
interface UnjudgedFile extends Omit<FilePart, 'candidate'> {
  readonly candidate: Omit<Candidate, 'shown'>;
}

export interface MessageReaderOptions {
  /** Told of each part that is left alone, between the beginning and the end of its leaf. */
  readonly onLeft?: (reason: Reason) => void;
  /** Whether the digests of files have MD5 sums too. */
  readonly md5?: boolean;
}

export class MessageReader implements Sink {
  readonly #tape: Tape;
  readonly #hashes: FileHashes;
  readonly #rules: Rules;
  readonly #onLeft: MessageReaderOptions['onLeft'];
  readonly #holdBytes: number;
  readonly #pieces: Piece[] = [];
  readonly #files: UnjudgedFile[] = [];
  readonly #texts: ReadLeaf[] = [];
  readonly #left = new Map<Reason, number>();
  readonly #mentions = new Mentions();
  /** Bytes taken so far: the position in the message. */
  #at = 0;
  #leaf: Leaf | undefined;
  #candidate = false;
  #ambiguous = false;
  #held: Buffer | undefined;
  #heldBytes = 0;
  #file: OpenFile | undefined;
  #watch: TextWatch | undefined;
  #tooMuch: string | undefined;
  /** The last piece, while it is one that can grow. */
  #lastLiteral: (TapePiece & { length: number }) | undefined;

  constructor(tape: Tape, rules: Rules, { onLeft, md5 = false }: MessageReaderOptions = {}) {
    this.#tape = tape;
    this.#hashes = new FileHashes(tape, { md5 });
    this.#rules = rules;
    this.#onLeft = onLeft;
    this.#holdBytes = Math.min(smallestSize(rules), maxHeldBytes);
  }

  /** The message, once the scanner has come to its end. */
  finish(header: HeaderBlock): ReadMessage {
    return new ReadMessage({
      header,
      tape: this.#tape,
      pieces: this.#pieces,
      files: this.#files.map((file) => this.#judged(file)),
      texts: this.#texts,
      left: this.#left,
      limit: this.#tooMuch,
    });
  }

  #judged(file: UnjudgedFile): FilePart {
    const { candidate, leaf } = file;
    const flaw = this.#mentions.pgp ? 'PGP' : candidate.flaw;
    return { ...file, candidate: { ...candidate, flaw, shown: this.#mentions.refersTo(leaf.head) } };
  }

  literal(bytes: Buffer): void {
    const from = this.#tape.length;
    this.#tape.append(bytes);
    const last = this.#lastLiteral;
    if (last && last.from + last.length === from) last.length += bytes.length;
    else {
      this.#lastLiteral = { kind: 'tape', at: this.#at, length: bytes.length, from };
      this.#pieces.push(this.#lastLiteral);
    }
    this.#at += bytes.length;
  }

  leafBegins(leaf: Leaf): void {
    this.#leaf = leaf;
    this.#ambiguous = false;
    const refusal =
      refusalByHeader(leaf, this.#rules) ??
      (Object.hasOwn(readers, leaf.head.encoding) ? undefined : 'unknown encoding');
    this.#candidate = refusal === undefined;
    if (refusal !== undefined && refusal !== 'text') this.#leave(refusal);
    const type = effectiveType(leaf.head, leaf.container);
    // Some gateways turn multipart/encrypted into multipart/mixed: what stands beside this part is encrypted.
    if (type === 'application/pgp-encrypted') this.#mentions.pgp = true;
    const kind = watchedKind(leaf, this.#candidate);
    if (kind !== undefined) {
      const { encoding, params } = leaf.head;
      this.#watch = new TextWatch(this.#mentions, { kind, encoding, charset: params.get('charset') });
    }
  }

  leafData(bytes: Buffer): void {
    this.#watch?.push(bytes);
    if (this.#file) this.#fileData(this.#file, bytes);
    else if (this.#candidate) this.#hold(bytes);
    else this.literal(bytes);
  }

  leafIsAmbiguous(): void {
    this.#ambiguous = true;
  }

  tooMuch(reason: string): void {
    this.#tooMuch = reason;
    const file = this.#file;
    if (file && !file.stopped) {
      this.#stop(file);
      file.decoded.abandon();
    } else if (this.#heldBytes > 0) this.literal(this.#held!.subarray(0, this.#heldBytes));
    this.#forgetLeaf();
  }

  leafEnds(end: number, next: number): void {
    const leaf = this.#leaf!;
    this.#watch?.end();
    const file = this.#file;
    if (file) this.#closeFile(file, { leaf, end, next });
    else if (this.#candidate) {
      if (this.#heldBytes > 0) this.literal(this.#held!.subarray(0, this.#heldBytes));
      this.#leave('small');
    }
    if (isPlace(leaf) && this.#texts.length < maxTexts) this.#texts.push({ leaf, end, next });
    this.#forgetLeaf();
  }

  #forgetLeaf(): void {
    this.#leaf = undefined;
    this.#watch = undefined;
    this.#file = undefined;
    this.#candidate = false;
    this.#heldBytes = 0;
  }

  #hold(bytes: Buffer): void {
    this.#held ??= Buffer.allocUnsafe(this.#holdBytes);
    const count = Math.min(bytes.length, this.#holdBytes - this.#heldBytes);
    bytes.copy(this.#held, this.#heldBytes, 0, count);
    this.#heldBytes += count;
    if (this.#heldBytes < this.#holdBytes) return;
    const decoded = new DecodedFile(this.#tape, this.#hashes);
    const reader = new readers[this.#leaf!.head.encoding]!(decoded);
    this.#file = { decoded, reader, at: this.#at, length: 0, stopped: false };
    this.#read(this.#file, this.#held);
    // The held bytes are large, and the next part may come late.
    this.#held = undefined;
    if (count < bytes.length) this.#fileData(this.#file, bytes.subarray(count));
  }

  #fileData(file: OpenFile, bytes: Buffer): void {
    if (file.stopped) this.literal(bytes);
    else this.#read(file, bytes);
  }

  #read(file: OpenFile, bytes: Buffer): void {
    const taken = file.reader.push(bytes);
    file.length += taken;
    this.#at += taken;
    if (taken === bytes.length) return;
    this.#stop(file);
    file.decoded.abandon();
    this.literal(bytes.subarray(taken));
  }

  /** The part of it that has been decoded stays decoded, and is encoded again on the way out. */
  #stop(file: OpenFile): FilePiece {
    file.stopped = true;
    const { decoded, reader, at, length } = file;
    const piece: FilePiece = {
      kind: 'file',
      at,
      length,
      from: decoded.from,
      size: decoded.size,
      recipe: reader.recipe,
    };
    if (length > 0) {
      this.#pieces.push(piece);
      this.#lastLiteral = undefined;
    }
    return piece;
  }

  #closeFile(file: OpenFile, read: ReadLeaf): void {
    if (file.stopped) {
      this.#leave(file.reader.gaveUp ?? 'not decodable');
      return;
    }
    const complete = file.reader.finish();
    const piece = this.#stop(file);
    const { name, isNamed, wholeName, type } = nameOf(read.leaf);
    this.#files.push({
      ...read,
      piece,
      digest: file.decoded.end(),
      candidate: {
        name,
        isNamed,
        wholeName,
        type,
        size: piece.size,
        encodedSize: read.next - read.leaf.delimiterAt,
        recipeCost: recipeCost(piece.recipe),
        flaw: !complete
          ? 'not decodable'
          : this.#ambiguous
            ? 'ambiguous delimiter'
            : refusalByContent(file.decoded.start),
      },
    });
  }

  #leave(reason: Reason): void {
    this.#onLeft?.(reason);
    this.#left.set(reason, (this.#left.get(reason) ?? 0) + 1);
  }
}

/** RFC 2045 section 6.1. */
const readers: Readonly<Record<string, new (file: DecodedFile) => Reader>> = {
  base64: Base64Reader,
  'quoted-printable': QuotedReader,
  '7bit': IdentityReader,
  '8bit': IdentityReader,
  binary: IdentityReader,
  '': IdentityReader,
};

/**
 * Whether this is a text that the reader of the message sees. The notice goes into it, or must go elsewhere if it
 * cannot.
 */
function isPlace(leaf: Leaf): boolean {
  const type = effectiveType(leaf.head, leaf.container);
  return (
    leaf.opaque === undefined &&
    type.startsWith('text/') &&
    type !== 'text/calendar' &&
    !isAttachment(leaf) &&
    (leaf.head.fileName === undefined || isBodyForm(leaf)) &&
    !standsInDigest(leaf)
  );
}

/** Whether it is itself a part of a digest (RFC 2046 section 5.1.5), and not of a message in it. */
function standsInDigest(leaf: Leaf): boolean {
  const around = containers(leaf);
  const message = around.findIndex(({ kind }) => kind === 'message');
  return around.slice(0, message).some(({ type }) => type === 'multipart/digest');
}
