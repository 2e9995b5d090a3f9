/** Messages made in advance, so that sending them costs very little. */
import { randomBytes } from 'node:crypto';

export interface Message {
  /** Complete with header, dots stuffed where needed, without the final dot. */
  chunks(): Iterable<Buffer>;
}

/** 57 bytes make a base64 line of 76 characters (RFC 2045 section 6.8). */
const bytesPerLine = 57;
const blockLines = 4096;
const block = encodeLines(randomBytes(bytesPerLine * blockLines));

let serial = 0;

/**
 * A message with an attachment of `size` bytes in base64. Each message has a different file: one line differs and the
 * rest is shared, so that a thousand of them take little memory.
 */
export function attachmentMessage(size: number, options: { readonly name?: string } = {}): Message {
  const id = nextId();
  const boundary = `=_${id}`;
  const head = Buffer.from(
    `${envelopeHeader(id)}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n` +
      `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHere is the file.\r\n` +
      `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n` +
      `Content-Disposition: attachment; filename="${options.name ?? `${id}.bin`}"\r\n\r\n`,
  );
  const tail = Buffer.from(`--${boundary}--\r\n`);
  return {
    *chunks() {
      yield head;
      yield* encodedFile(size);
      yield tail;
    },
  };
}

function* encodedFile(size: number): Iterable<Buffer> {
  const first = Buffer.alloc(Math.min(size, bytesPerLine));
  randomBytes(16).copy(first);
  yield encodeLines(first);
  let left = size - first.length;
  for (; left >= bytesPerLine * blockLines; left -= bytesPerLine * blockLines) yield block;
  if (left > 0) yield encodeLines(randomBytes(left));
}

/** A small message with nothing to detach. */
export function smallMessage(size: number): Message {
  const head = `${envelopeHeader(nextId())}\r\n`;
  const lines = Math.ceil((size - head.length) / 78);
  const text = Buffer.from(head + `${'x'.repeat(76)}\r\n`.repeat(lines));
  return { chunks: () => [text] };
}

/** A message of many small parts and many header fields, to see how cost grows. */
export function structuredMessage(shape: { readonly parts: number; readonly fields: number }): Message {
  const id = nextId();
  const boundary = `=_${id}`;
  const fields = Array.from({ length: shape.fields }, (_, i) => `X-Field-${i}: value number ${i}\r\n`).join('');
  const parts = Array.from(
    { length: shape.parts },
    (_, i) => `--${boundary}\r\nContent-Type: text/plain\r\n\r\npart number ${i}\r\n`,
  ).join('');
  const text = Buffer.from(
    `${envelopeHeader(id)}${fields}MIME-Version: 1.0\r\n` +
      `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${parts}--${boundary}--\r\n`,
  );
  return { chunks: () => [text] };
}

function nextId(): string {
  return `bench-${process.pid}-${++serial}`;
}

function envelopeHeader(id: string): string {
  return (
    `From: Sender <sender@example.net>\r\nTo: Reader <reader@example.com>\r\nSubject: ${id}\r\n` +
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}\r\nMessage-ID: <${id}@example.net>\r\n`
  );
}

function encodeLines(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64').replace(/.{1,76}/g, '$&\r\n'), 'latin1');
}
