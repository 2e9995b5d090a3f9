import type { Link, LinkIdentity } from './interface.ts';

export interface NewLink {
  readonly size: number;
  /** ms */
  readonly now: number;
  /** ms; 0: never. */
  readonly expiresAfter: number;
}

export function newLink(identity: LinkIdentity, { size, now, expiresAfter }: NewLink): Link {
  const { sha256, name, type, reversePath, messageIdentity } = identity;
  const created = new Date(now).toISOString();
  return { v: 1, sha256, size, name, type, created, expires: expiry(now, expiresAfter), reversePath, messageIdentity };
}

/**
 * What a link becomes when its message is sent once more; undefined: it stays as it is.
 *
 * A retry out of Postfix's queue (five days) finds a link in the first half of its life, and the mail it writes is the
 * same to the byte. A message that a person sends again months later must not carry a link that is dead or dying: in
 * the second half of its life the link is renewed. A revoked link stays revoked, whoever sends the message again.
 */
export function renewed(link: Link, { now, expiresAfter }: Omit<NewLink, 'size'>): Link | undefined {
  if (link.revoked !== undefined || link.expires === null) return undefined;
  const left = Date.parse(link.expires) - now;
  if (expiresAfter === 0 ? left > 0 : left >= expiresAfter / 2) return undefined;
  return { ...link, expires: expiry(now, expiresAfter) };
}

export type LinkState = 'living' | 'expired' | 'revoked';

export function linkState(link: Link, now: number): LinkState {
  if (link.revoked !== undefined) return 'revoked';
  return link.expires !== null && Date.parse(link.expires) <= now ? 'expired' : 'living';
}

/** Reads what `links/<token>` holds; undefined when it is no link as this version writes them. */
export function parseLink(json: string): Link | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  return isLink(value) ? value : undefined;
}

function isLink(value: unknown): value is Link {
  if (typeof value !== 'object' || value === null) return false;
  const link = value as Record<string, unknown>;
  const texts = ['sha256', 'name', 'type', 'created', 'reversePath', 'messageIdentity'];
  return (
    link['v'] === 1 &&
    texts.every((key) => typeof link[key] === 'string') &&
    Number.isSafeInteger(link['size']) &&
    isTime(link['created']) &&
    (link['expires'] === null || isTime(link['expires'])) &&
    (link['revoked'] === undefined || typeof link['revoked'] === 'string')
  );
}

const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));

const expiry = (now: number, expiresAfter: number): string | null =>
  expiresAfter === 0 ? null : new Date(now + expiresAfter).toISOString();
