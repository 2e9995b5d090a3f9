import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { attachment } from '../../storage/interface.ts';
import type { FileRange } from '../../storage/interface.ts';
import { parseRange } from './range.ts';

/** What is downloaded, as far as HTTP is concerned. */
export interface Representation {
  /** Strong (RFC 9110 section 8.8.1), in its quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly name: string;
  readonly contentType: string;
}

/** How a download is answered, decided before any byte is read. */
export interface Plan {
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** undefined: only the header. */
  readonly send: FileRange | undefined;
}

/** Conditional and range requests (RFC 9110 sections 13 and 14). */
export function planDownload(
  { etag, size, name, contentType }: Representation,
  { method, headers: request }: Pick<IncomingMessage, 'method' | 'headers'>,
): Plan {
  const caching = { ETag: etag, 'Cache-Control': 'private, max-age=0, must-revalidate', 'Accept-Ranges': 'bytes' };
  if (matches(request['if-none-match'], etag)) return { status: 304, headers: caching, send: undefined };
  const headers = { ...caching, 'Content-Type': contentType, 'Content-Disposition': attachment(name) };
  const range = method === 'GET' ? rangeOf(request, { etag, size }) : undefined;
  if (range === undefined) {
    const send = method === 'HEAD' ? undefined : { offset: 0, count: size };
    return { status: 200, headers: { ...headers, 'Content-Length': String(size) }, send };
  }
  if (range === 'unsatisfiable') {
    const unsatisfied = { ...caching, 'Content-Range': `bytes */${size}`, 'Content-Length': '0' };
    return { status: 416, headers: unsatisfied, send: undefined };
  }
  const { offset, count } = range;
  const partial = {
    'Content-Length': String(count),
    'Content-Range': `bytes ${offset}-${offset + count - 1}/${size}`,
  };
  return { status: 206, headers: { ...headers, ...partial }, send: range };
}

/** Section 13.1.5: a range of another version would be joined to what the client has. */
function rangeOf(
  request: IncomingHttpHeaders,
  { etag, size }: Pick<Representation, 'etag' | 'size'>,
): ReturnType<typeof parseRange> {
  const ifRange = request['if-range'];
  return ifRange === undefined || ifRange === etag ? parseRange(request.range, size) : undefined;
}

/** Section 13.1.2: weak comparison. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
