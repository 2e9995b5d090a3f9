import { openBase64 } from './base64-body.ts';
import { openQuotedPrintable } from './quoted-printable-body.ts';

/**
 * A body under its transfer encoding (RFC 2045 section 6). It is read decoded; inserting keeps the bytes before the
 * place.
 */
export interface EncodedBody {
  readonly bytes: Buffer;
  /** Whether what is inserted must be text in short lines of 7 or of 8 bits, or may be any bytes. */
  readonly room: '7bit' | '8bit' | 'any';
  /** Lines of the insertion are lines of the message. */
  readonly isIdentity: boolean;
  /** The encoded body with `insertion` (decoded) before the decoded byte `at`. */
  insert(at: number, insertion: Buffer): Buffer;
}

/** undefined: the encoding is unknown, or readers decode this body differently. */
export function openBody(transferEncoding: string, body: Buffer): EncodedBody | undefined {
  switch (transferEncoding.trim().toLowerCase()) {
    // RFC 2045 section 6.1: the default.
    case '':
    case '7bit':
      return openIdentity(body, '7bit');
    case '8bit':
    case 'binary':
      return openIdentity(body, '8bit');
    case 'quoted-printable':
      return openQuotedPrintable(body);
    case 'base64':
      return openBase64(body);
    default:
      return undefined;
  }
}

function openIdentity(body: Buffer, room: '7bit' | '8bit'): EncodedBody {
  return {
    bytes: body,
    room,
    isIdentity: true,
    insert: (at, insertion) => Buffer.concat([body.subarray(0, at), insertion, body.subarray(at)]),
  };
}
