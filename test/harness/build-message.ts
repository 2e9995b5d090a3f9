import { randomUUID } from 'node:crypto';

export interface Attachment {
  /** ASCII; for anything else give whole `headers`. */
  readonly name: string;
  readonly type?: string;
  readonly content: Buffer;
  /** Makes it an image that the HTML shows: `inline`, with this Content-ID. */
  readonly cid?: string;
  /** Instead of the fields made from the above: each without line end. The body is still base64. */
  readonly headers?: readonly string[];
}

export interface MessageParts {
  readonly from: string;
  readonly to: string | readonly string[];
  readonly subject?: string;
  /** UTF-8, LF or CRLF. Sent as 8bit. */
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: readonly Attachment[];
  /** More fields, each without line end; they stand first. */
  readonly headers?: readonly string[];
  /** With angle brackets; a new one each time if not given. */
  readonly messageId?: string;
  readonly date?: string;
}

/**
 * A message as a mail program writes it, CRLF throughout: text, or text and HTML as alternatives; with attachments a
 * multipart/mixed around them. The same parts with the same Message-ID give the same bytes.
 */
export function buildMessage(parts: MessageParts): Buffer {
  const to = typeof parts.to === 'string' ? parts.to : parts.to.join(',\r\n ');
  const header = [
    ...(parts.headers ?? []),
    `From: ${parts.from}`,
    `To: ${to}`,
    `Subject: ${parts.subject ?? 'a test'}`,
    `Date: ${parts.date ?? 'Mon, 6 Jan 2025 10:00:00 +0000'}`,
    `Message-ID: ${parts.messageId ?? `<${randomUUID()}@client.example.net>`}`,
    'MIME-Version: 1.0',
  ];
  const body = bodyOf(parts);
  const files = parts.attachments ?? [];
  const whole = files.length === 0 ? body : multipart('mixed', 'outer', [body, ...files.map(attachmentPart)]);
  return Buffer.concat([Buffer.from(header.map((line) => `${line}\r\n`).join('')), whole]);
}

function bodyOf({ text, html }: MessageParts): Buffer {
  const plain = textPart('plain', text ?? 'Hello.\n');
  if (html === undefined) return plain;
  return text === undefined
    ? textPart('html', html)
    : multipart('alternative', 'inner', [plain, textPart('html', html)]);
}

function textPart(subtype: string, text: string): Buffer {
  const body = text.replace(/\r?\n/g, '\r\n');
  return Buffer.from(`Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${body}`);
}

function attachmentPart({ name, type = 'application/octet-stream', content, cid, headers }: Attachment): Buffer {
  const fields = headers ?? [
    `Content-Type: ${type}; name="${name}"`,
    `Content-Disposition: ${cid === undefined ? 'attachment' : 'inline'}; filename="${name}"`,
    ...(cid === undefined ? [] : [`Content-ID: <${cid}>`]),
  ];
  const head = [...fields, 'Content-Transfer-Encoding: base64', '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), base64Lines(content)]);
}

function multipart(subtype: string, level: string, parts: readonly Buffer[]): Buffer {
  const boundary = `=_${level}_boundary_`;
  const chunks: Buffer[] = [Buffer.from(`Content-Type: multipart/${subtype}; boundary="${boundary}"\r\n\r\n`)];
  for (const part of parts) chunks.push(Buffer.from(`--${boundary}\r\n`), part, Buffer.from('\r\n'));
  return Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]);
}

/** Lines of 76 characters (RFC 2045 section 6.8), the last one without line end. */
export function base64Lines(content: Buffer): Buffer {
  const lines: string[] = [];
  // A multiple of 57 bytes at a time: a string of a whole gigabyte would be too long for the engine.
  for (let at = 0; at < content.length; at += 57 * 4096) {
    lines.push(content.toString('base64', at, at + 57 * 4096).replace(/.{76}(?=.)/g, '$&\r\n'));
  }
  return Buffer.from(lines.join('\r\n'));
}
