import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Transform } from 'node:stream';

/** A fault of an answer. */
export type Trouble =
  /** Sent instead of the target's answer. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The connection breaks after so many bytes of the body. */
  | { readonly cutAfter: number }
  /** One byte of the body is changed. */
  | { readonly corruptAt: number }
  /** One byte of the request's body is changed, and fields of its header are removed. */
  | { readonly corruptUploadAt: number; readonly without?: readonly string[] }
  /** Fields of the answer's header are changed; `undefined` removes one. */
  | { readonly answerHeaders: Readonly<Record<string, string | undefined>> };

export interface HttpProxy {
  readonly port: number;
  /** Called for every request; undefined: the answer passes unchanged. */
  trouble: (request: IncomingMessage) => Trouble | undefined;
  /** Methods and paths, oldest first. */
  readonly requests: { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  stop(): Promise<void>;
}

/** Passes HTTP on to a port on 127.0.0.1 and can damage chosen answers. */
export async function startHttpProxy(target: number): Promise<HttpProxy> {
  const server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    proxy.requests.push({ method, path, headers });
    const trouble = proxy.trouble(request);
    if (trouble && 'status' in trouble) {
      request.resume();
      response.writeHead(trouble.status, trouble.headers).end(trouble.body);
      return;
    }
    const upload = trouble && 'corruptUploadAt' in trouble ? trouble : undefined;
    const passed = Object.fromEntries(Object.entries(headers).filter(([name]) => !upload?.without?.includes(name)));
    const onward = httpRequest({ host: '127.0.0.1', port: target, method, path, headers: passed });
    onward.on('response', (answer) => {
      const others = trouble && 'answerHeaders' in trouble ? trouble.answerHeaders : {};
      const fields = Object.entries({ ...answer.headers, ...others }).filter(([, value]) => value !== undefined);
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(fields));
      response.flushHeaders();
      if (trouble && ('cutAfter' in trouble || 'corruptAt' in trouble)) void spoil(answer, response, trouble);
      else answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    if (upload) pipeline(request, changed(upload.corruptUploadAt), onward, () => undefined);
    else request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: HttpProxy = {
    port: (server.address() as AddressInfo).port,
    trouble: () => undefined,
    requests: [],
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return proxy;
}

/** Changes one byte. */
function changed(at: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const i = at - seen;
      if (i >= 0 && i < chunk.length) chunk[i] = (chunk[i] ?? 0) ^ 1;
      seen += chunk.length;
      done(null, chunk);
    },
  });
}

async function spoil(
  answer: IncomingMessage,
  response: ServerResponse,
  trouble: Extract<Trouble, { readonly cutAfter: number } | { readonly corruptAt: number }>,
): Promise<void> {
  let at = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if ('corruptAt' in trouble) {
      const i = trouble.corruptAt - at;
      if (i >= 0 && i < chunk.length) chunk[i] = (chunk[i] ?? 0) ^ 1;
    } else if (at + chunk.length > trouble.cutAfter) {
      const rest = chunk.subarray(0, trouble.cutAfter - at);
      response.write(rest, () => response.destroy());
      return;
    }
    at += chunk.length;
    if (!response.write(chunk)) await once(response, 'drain');
  }
  response.end();
}
