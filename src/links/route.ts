import { isToken } from '../storage/interface.ts';

/** What a request asks for. The token has the form of one; whether there is such a link is for storage to say. */
export interface Route {
  readonly token: string;
  readonly wants: 'page' | 'file';
}

const link = /^\/([A-Za-z0-9_-]{22})(\/file|\/)?$/;

/**
 * Reads a request target (RFC 9112 section 3.2). The path of the public address may stand in front or not: a proxy
 * passes it on or takes it away.
 */
export function routeOf(target: string, basePath: string): Route | undefined {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  const inner = basePath !== '' && path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
  const [, token, rest] = link.exec(inner) ?? [];
  return token === undefined || !isToken(token) ? undefined : { token, wants: rest === '/file' ? 'file' : 'page' };
}

/** The path of the public address, without a slash at its end: '' for a host of its own. */
export const basePathOf = (baseUrl: string): string => new URL(baseUrl).pathname.replace(/\/+$/, '');
