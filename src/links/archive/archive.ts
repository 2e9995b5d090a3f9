import { createHash } from 'node:crypto';
import { centralHeader, endOfDirectory, localHeader, type ZipEntry } from './zip-records.ts';

/** A file of an archive, under which hash storage has its bytes, and the link that allows to read them. */
export interface ArchiveFile extends ZipEntry {
  readonly sha256: string;
  readonly token: string;
}

/** Bytes of a file, or some of them. */
export interface FilePiece {
  readonly kind: 'file';
  readonly file: ArchiveFile;
  readonly offset: number;
  readonly count: number;
}

/** Bytes of the archive: its own, or those of a file. */
export type Piece = { readonly kind: 'own'; readonly bytes: Buffer } | FilePiece;

/** A ZIP archive whose every header and offset is known before any file is read. It holds the headers only. */
export class Archive {
  /** Bytes. */
  readonly size: number;
  /** Strong (RFC 9110 section 8.8.3): it changes when any content of the archive changes. */
  readonly etag: string;
  readonly #pieces: readonly Piece[];

  constructor(files: readonly ArchiveFile[]) {
    const pieces: Piece[] = [];
    const directory: Buffer[] = [];
    const hash = createHash('sha256');
    let at = 0;
    for (const file of files) {
      const header = localHeader(file);
      directory.push(centralHeader(file, at));
      hash.update(file.sha256);
      pieces.push({ kind: 'own', bytes: header });
      if (file.size > 0) pieces.push({ kind: 'file', file, offset: 0, count: file.size });
      at += header.length + file.size;
    }
    const size = directory.reduce((sum, { length }) => sum + length, 0);
    const end = Buffer.concat([...directory, endOfDirectory({ entries: files.length, size, offset: at })]);
    this.#pieces = [...pieces, { kind: 'own', bytes: end }];
    this.size = at + end.length;
    this.etag = `"${hash.update(end).digest('hex')}"`;
  }

  /** What stands from `offset` on, `count` bytes of it. */
  *slice(offset: number, count: number): Iterable<Piece> {
    let at = 0;
    for (const piece of this.#pieces) {
      const length = piece.kind === 'own' ? piece.bytes.length : piece.count;
      const from = Math.max(offset - at, 0);
      const to = Math.min(offset + count - at, length);
      at += length;
      if (from >= to) continue;
      if (piece.kind === 'own') yield { kind: 'own', bytes: piece.bytes.subarray(from, to) };
      else yield { ...piece, offset: from, count: to - from };
    }
  }
}
