/**
 * Answers the calls of the Azure Blob API that a relay makes, and keeps only the names and sizes of blobs. Against it,
 * the cost of the relay is measured without the cost of storage.
 */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';

const sizes = new Map<string, number>();
let version = 0;

const server = createServer((request, response) => {
  let size = 0;
  request.on('data', (chunk: Buffer) => (size += chunk.length));
  request.on('end', () => answer(request, response, size));
});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1');

/** What is sent back: a status, and headers that the client looks at. */
type Answer = readonly [status: number, headers?: Record<string, string | number>];

function answer(request: IncomingMessage, response: ServerResponse, size: number): void {
  const [status, headers = {}] = request.method === 'PUT' ? put(request, size) : read(request);
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

function put(request: IncomingMessage, size: number): Answer {
  const { pathname: name, searchParams } = addressOf(request);
  const staged = `${name}?`;
  switch (searchParams.get('comp')) {
    case 'metadata':
      return [sizes.has(name) ? 200 : 404];
    case 'block':
      sizes.set(staged, (sizes.get(staged) ?? 0) + size);
      return [201];
    case 'blocklist':
      return create(request, { name, size: sizes.get(staged) ?? 0 });
    case null:
    default:
      return create(request, { name, size });
  }
}

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
