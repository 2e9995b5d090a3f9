import type { Metadata } from './blobs.ts';
import type { Link, LinkIdentity } from './interface.ts';

/** What a link says besides its identity. */
export type LinkDetails = Pick<Link, 'size' | 'crc32' | 'from' | 'subject' | 'senders' | 'page'>;

export interface LinkTimes {
  /** ms */
  readonly now: number;
  /** ms; 0: never. */
  readonly expiresAfter: number;
}

export function newLink(identity: LinkIdentity, details: LinkDetails, { now, expiresAfter }: LinkTimes): Link {
  const { sha256, name, type, reversePath, messageIdentity } = identity;
  const created = new Date(now).toISOString();
  const expires = expiry(now, expiresAfter);
  return { v: 2, sha256, name, type, created, expires, reversePath, messageIdentity, ...details };
}

/**
 * What a link becomes when its message is sent once more; undefined: it stays as it is.
 *
 * A retry out of Postfix's queue (five days) finds a link in the first half of its life, and the mail it writes is the
 * same to the byte. A message that a person sends again months later must not carry a link that has expired or soon
 * will: in the second half of its life the link is renewed. A revoked link stays revoked when its message is sent
 * again.
 */
export function renewed(link: Link, { now, expiresAfter }: LinkTimes): Link | undefined {
  if (link.revoked !== undefined || link.expires === null) return undefined;
  const left = Date.parse(link.expires) - now;
  if (expiresAfter === 0 ? left > 0 : left >= expiresAfter / 2) return undefined;
  return { ...link, expires: expiry(now, expiresAfter) };
}

export type LinkState = 'living' | 'expired' | 'revoked';

/** The fields of a link that decide its state. */
export interface LinkMarks {
  readonly revoked?: string | undefined;
  readonly held?: string | undefined;
  readonly expires: string | null;
}

export function linkState(link: LinkMarks, now: number): LinkState {
  if (link.revoked !== undefined) return 'revoked';
  if (link.held !== undefined || link.expires === null) return 'living';
  return Date.parse(link.expires) <= now ? 'expired' : 'living';
}

/** Whether it needs its file. A revoked link does so while it is held. */
export const livesOrIsHeld = (link: LinkMarks, now: number): boolean =>
  link.held !== undefined || linkState(link, now) === 'living';

/** How long an `erase` may take. An older mark was left by an `erase` that crashed. */
export const eraseTimeMs = 3_600_000;

/** Whether `erase` removes the link at this moment. */
export const isBeingErased = (link: Link, now: number): boolean =>
  link.erasing !== undefined && Date.parse(link.erasing) + eraseTimeMs > now;

/** What a listing tells of a link without reading it. */
export function linkMetadata({ v, sha256, size, created, expires, revoked, held, erasing }: Link): Metadata {
  return {
    v: String(v),
    sha256,
    size: String(size),
    created,
    expires: expires ?? 'never',
    ...(revoked !== undefined && { revoked: 'yes' }),
    ...(held !== undefined && { held: 'yes' }),
    ...(erasing !== undefined && { erasing: 'yes' }),
  };
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

const marks = ['revoked', 'held', 'erasing', 'from', 'subject', 'page'];

function isLink(value: unknown): value is Link {
  if (typeof value !== 'object' || value === null) return false;
  const link = value as Record<string, unknown>;
  const texts = ['sha256', 'name', 'type', 'created', 'reversePath', 'messageIdentity'];
  return (
    (link['v'] === 1 || link['v'] === 2) &&
    texts.every((key) => typeof link[key] === 'string') &&
    Number.isSafeInteger(link['size']) &&
    isTime(link['created']) &&
    (link['expires'] === null || isTime(link['expires'])) &&
    marks.every((key) => link[key] === undefined || typeof link[key] === 'string')
  );
}

const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));

const expiry = (now: number, expiresAfter: number): string | null =>
  expiresAfter === 0 ? null : new Date(now + expiresAfter).toISOString();
