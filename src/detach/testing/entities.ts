/** Parts and messages for tests: each function gives an entity with its header, without a line end behind it. */
import { base64 } from './messages.ts';

const crlf = '\r\n';

/** `fields` come first; `body` is a file's bytes, encoded here. */
export const encoded = (fields: string, body: Buffer): string =>
  [fields, 'Content-Transfer-Encoding: base64', '', base64(body)].join(crlf);

export const multipart = (type: string, boundary: string, ...parts: readonly string[]): string =>
  [
    `Content-Type: multipart/${type}; boundary="${boundary}"`,
    '',
    ...parts.map((part) => `--${boundary}${crlf}${part}`),
    `--${boundary}--`,
  ].join(crlf);

/** A whole message around an entity; `fields` are lines of its header. */
export const message = (entity: string, ...fields: readonly string[]): Buffer =>
  Buffer.from(
    [
      'From: Ann Writer <ann@a.example>',
      'To: Bob Reader <bob@b.example>',
      'Subject: Report',
      'Date: Fri, 27 Nov 2026 10:00:00 +0000',
      ...fields,
      'MIME-Version: 1.0',
      entity,
      '',
    ].join(crlf),
    'latin1',
  );

export const forwarded = (inner: Buffer, fields = 'Content-Type: message/rfc822'): string =>
  `${fields}${crlf}${crlf}${inner.toString('latin1').slice(0, -crlf.length)}`;

export const plain = (words: string): string => `Content-Type: text/plain; charset=utf-8${crlf}${crlf}${words}`;

export const html = (words: string): string =>
  `Content-Type: text/html; charset=utf-8${crlf}${crlf}<html><body><p>${words}</p></body></html>`;

/** A file of 3,000 bytes; `more` are fields. */
export const pdf = (name = 'a.pdf', ...more: readonly string[]): string =>
  encoded(
    [
      `Content-Type: application/pdf; name="${name}"`,
      `Content-Disposition: attachment; filename="${name}"`,
      ...more,
    ].join(crlf),
    Buffer.alloc(3000, name),
  );
