import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PageFrame } from './page/page.ts';
import type { Language } from './words/languages.ts';
import type { MessageName } from './words/words.ts';

/** One request, its response, and what is known of the client. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly language: Language;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** Key of the client for limits: the same for all addresses that belong to one client. */
  readonly client: string;
  /** Fields for the log; no token is among them. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Header fields of every answer. */
const common = {
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex, nofollow',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export const redirectHeaders = (location: string): Readonly<Record<string, string>> => ({
  ...common,
  Location: location,
  'Cache-Control': 'no-store',
  'Content-Length': '0',
});

/** If a browser shows the bytes nevertheless, the CSP sandbox isolates them and allows no scripts. */
export const fileHeaders = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  ...common,
  'Content-Security-Policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
  ...headers,
});

const statusOf = {
  unknown: 404,
  expired: 410,
  revoked: 410,
  gone: 410,
  allExpired: 410,
  allRevoked: 410,
  allGone: 410,
  unavailable: 503,
  method: 405,
} as const satisfies Record<MessageName, number>;

/** A page that has nothing to download. */
export function say(
  exchange: Exchange,
  frame: PageFrame,
  { name, headers }: { readonly name: MessageName; readonly headers?: Readonly<Record<string, string>> },
): void {
  sendPage(exchange, frame, { status: statusOf[name], html: frame.message(name, exchange.language), headers });
}

export interface SentPage {
  readonly status: number;
  readonly html: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export function sendPage({ request, response }: Exchange, frame: PageFrame, { status, html, headers }: SentPage): void {
  const body = Buffer.from(html);
  response.writeHead(status, {
    ...common,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': frame.style.policy,
    Vary: 'Accept-Language',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
