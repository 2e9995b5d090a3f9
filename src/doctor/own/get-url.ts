import { type IncomingHttpHeaders, get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { TLSSocket } from 'node:tls';

export interface GetOptions {
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Of the server's certificate; undefined without TLS. */
  readonly certificate: Certificate | undefined;
}

export interface Certificate {
  /** Why a browser would not trust it. */
  readonly problem: string | undefined;
  /** When it ends: ms since 1970. */
  readonly ends: number;
}

/** What is kept of a body: whoever answers may be anybody. */
const maxBodyBytes = 1_048_576;

const answerMs = 10_000;

/** One request, without a proxy, redirects or trust in anything. @throws the system's error, or one that says how long */
export function getUrl(url: URL, options: GetOptions): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { got, cancel } = send(url, options);
    const timer = setTimeout(() => cancel(new Error(`no answer within ${answerMs / 1000} s`)), answerMs);
    got
      .then(async (response) => {
        const certificate = certificateOf(response);
        const body = await bodyOf(response);
        response.destroy();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, certificate });
      })
      .catch(reject)
      .finally(() => clearTimeout(timer));
  });
}

interface Sent {
  readonly got: Promise<IncomingMessage>;
  readonly cancel: (reason: Error) => void;
}

function send(url: URL, { signal, headers }: GetOptions): Sent {
  const get = url.protocol === 'https:' ? getHttps : getHttp;
  const request = get(url, { signal, agent: false, rejectUnauthorized: false, headers: { ...headers } });
  const got = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  return { got, cancel: (reason) => request.destroy(reason) };
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes);
}

function certificateOf({ socket }: IncomingMessage): Certificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return readCertificate(socket);
}

export function readCertificate(socket: TLSSocket): Certificate {
  // The types say an error; it is null where there is none, and often only its code.
  const problem = socket.authorizationError as unknown;
  const { valid_to: ends } = socket.getPeerCertificate();
  return { problem: describeProblem(problem), ends: Date.parse(ends) };
}

function describeProblem(problem: unknown): string | undefined {
  if (problem instanceof Error) return problem.message;
  return typeof problem === 'string' ? problem : undefined;
}
