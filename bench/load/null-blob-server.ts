/**
 * Answers the calls of the Azure Blob API that a relay makes, and keeps only the names and sizes of blobs. Against it,
 * the cost of the relay is measured without the cost of storage.
 */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';

const sizes = new Map<string, number>();
let version = 0;
const delayMs = Number(process.argv[3] ?? 0);

const server = createServer((request, response) => {
  let size = 0;
  let list = '';
  const isList = addressOf(request).searchParams.get('comp') === 'blocklist';
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (isList) list += chunk.toString('latin1');
  });
  request.on('end', () => {
    if (delayMs === 0) answer(request, response, { size, list });
    else setTimeout(() => answer(request, response, { size, list }), delayMs);
  });
});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1');

interface Body {
  readonly size: number;
  /** The text of a list of blocks. */
  readonly list: string;
}

/** What is sent back: a status, and headers that the client looks at. */
type Answer = readonly [status: number, headers?: Record<string, string | number>];

function answer(request: IncomingMessage, response: ServerResponse, body: Body): void {
  const [status, headers = {}] = request.method === 'PUT' ? put(request, body) : read(request);
  version++;
  response.writeHead(status, {
    ETag: `"0x${version.toString(16)}"`,
    'Last-Modified': new Date().toUTCString(),
    'x-ms-request-id': String(version),
    'x-ms-version': '2025-11-05',
    // As Azure does. Without either field, Node takes the end of the connection for the end of an answer to HEAD.
    ...('Content-Length' in headers ? {} : { 'Transfer-Encoding': 'chunked' }),
    ...headers,
  });
  response.end();
}

function put(request: IncomingMessage, { size, list }: Body): Answer {
  const { pathname: name, searchParams } = addressOf(request);
  switch (searchParams.get('comp')) {
    case 'metadata':
      return sizes.has(name) ? [200] : [404, { 'x-ms-error-code': 'BlobNotFound' }];
    case 'block':
      sizes.set(blockOf(name, searchParams.get('blockid') ?? ''), size);
      return [201];
    case 'blocklist':
      return create(request, { name, size: sum(name, list) });
    case null:
    default:
      return create(request, { name, size });
  }
}

const blockOf = (name: string, id: string): string => `${name}?${id}`;

/** The blocks that a list names: several may upload the same file at a time, each with blocks of its own. */
const sum = (name: string, list: string): number =>
  [...list.matchAll(/<Latest>([^<]*)<\/Latest>/g)].reduce(
    (total, [, id = '']) => total + (sizes.get(blockOf(name, id)) ?? 0),
    0,
  );

function create(request: IncomingMessage, blob: { readonly name: string; readonly size: number }): Answer {
  if (sizes.has(blob.name) && request.headers['if-none-match'] === '*') {
    return [409, { 'x-ms-error-code': 'BlobAlreadyExists' }];
  }
  sizes.set(blob.name, blob.size);
  return [201, { 'x-ms-request-server-encrypted': 'true' }];
}

function read(request: IncomingMessage): Answer {
  const size = request.method === 'HEAD' ? sizes.get(addressOf(request).pathname) : undefined;
  return size === undefined
    ? [404, { 'x-ms-error-code': 'BlobNotFound' }]
    : [200, { 'Content-Length': size, 'x-ms-blob-type': 'BlockBlob' }];
}

function addressOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://blob');
}
