import type { IncomingHttpHeaders } from 'node:http';
import { attachment } from '../../storage/interface.ts';
import type { FileRange, Link } from '../../storage/interface.ts';
import { contentType } from './content-type.ts';
import { parseRange } from './range.ts';

/** How a download is answered, before a byte was read. */
export interface Plan {
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** What to send; 'none' for 304 and 416. */
  readonly send: FileRange | 'all' | 'none';
}

/** Conditional and range requests (RFC 9110 sections 13 and 14). The ETag is the file's own hash, so it is strong. */
export function planDownload(link: Link, method: string, request: IncomingHttpHeaders): Plan {
  const etag = `"${link.sha256}"`;
  const caching = { ETag: etag, 'Cache-Control': 'private, max-age=0, must-revalidate', 'Accept-Ranges': 'bytes' };
  if (matches(request['if-none-match'], etag)) return { status: 304, headers: caching, send: 'none' };
  const headers = {
    ...caching,
    'Content-Type': contentType(link.type),
    'Content-Disposition': attachment(link.name),
  };
  // Section 13.1.5: part of another version would be glued to what the client has.
  const ifRange = request['if-range'];
  const sameFile = ifRange === undefined || ifRange === etag;
  const range = method === 'GET' && sameFile ? parseRange(request.range, link.size) : undefined;
  if (range === undefined) {
    return { status: 200, headers: { ...headers, 'Content-Length': String(link.size) }, send: 'all' };
  }
  if (range === 'unsatisfiable') {
    const unsatisfied = { ...caching, 'Content-Range': `bytes */${link.size}`, 'Content-Length': '0' };
    return { status: 416, headers: unsatisfied, send: 'none' };
  }
  const { offset, count } = range;
  const partial = {
    'Content-Length': String(count),
    'Content-Range': `bytes ${offset}-${offset + count - 1}/${link.size}`,
  };
  return { status: 206, headers: { ...headers, ...partial }, send: range };
}

/** Section 13.1.2: weak comparison. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
