import { isToken } from '../storage/interface.ts';

/** What a request asks for. The token is well-formed; whether the link exists, only storage knows. */
export interface Route {
  readonly token: string;
  readonly wants: 'page' | 'file' | 'archive';
  /** Which piece of a long list, from 1 on. */
  readonly piece: number;
}

const link = /^\/([A-Za-z0-9_-]{22})(\/file|\/all\.zip|\/)?$/;
const kinds: Readonly<Record<string, Route['wants']>> = { '/file': 'file', '/all.zip': 'archive' };

/**
 * Reads a request target (RFC 9112 section 3.2). The path of the public address may be in front of it or not: some
 * proxies remove it.
 */
export function routeOf(target: string, basePath: string): Route | undefined {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  const inner = basePath !== '' && path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
  const [, token, rest] = link.exec(inner) ?? [];
  if (token === undefined || !isToken(token)) return undefined;
  const piece = Number(/[?&]page=([1-9]\d{0,2})(?:[&#]|$)/.exec(target)?.[1] ?? 1);
  return { token, wants: kinds[rest ?? ''] ?? 'page', piece };
}

/** The path of the public address, without a slash at its end: '' for a host of its own. */
export const basePathOf = (baseUrl: string): string => new URL(baseUrl).pathname.replace(/\/+$/, '');
