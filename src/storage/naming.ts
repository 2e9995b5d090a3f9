import { createHash, createHmac } from 'node:crypto';
import type { LinkIdentity, TokenFingerprint } from './interface.ts';

/** 128 bits as base64url, whose last character carries two of them: what a link, a page and a manifest are called. */
const keyedName = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const sha256Name = /^[0-9a-f]{64}$/;

export const isToken = (text: string): boolean => keyedName.test(text);
export const isSha256 = (text: string): boolean => sha256Name.test(text);

export const fileBlob = (sha256: string): string => `files/${sha256}`;
export const linkBlob = (token: string): string => `links/${token}`;
export const pageBlob = (token: string): string => `pages/${token}`;
export const messageBlob = (id: string): string => `messages/${id}`;

/**
 * The token of a link. It cannot be guessed without the secret, and is the same for every retry of one message. Each
 * value is hashed with its length, so that two identities never give the same input.
 */
export function tokenOf(secret: Buffer, identity: LinkIdentity): string {
  const { messageIdentity, reversePath, partNumber, name, type, sha256 } = identity;
  return keyedHash(secret, ['detach-mta link 1', messageIdentity, reversePath, partNumber, name, type, sha256]);
}

/** The token of the page of a message. */
export function pageTokenOf(
  secret: Buffer,
  { messageIdentity, reversePath }: Pick<LinkIdentity, 'messageIdentity' | 'reversePath'>,
  { tokens }: { readonly tokens: readonly string[] },
): string {
  return keyedHash(secret, ['detach-mta page 1', messageIdentity, reversePath, ...tokens]);
}

export const plainMessageId = (identity: string): string => identity.trim().replace(/^<(.*)>$/, '$1');

/** Under which name the index knows a message: the Message-ID with or without its angle brackets. */
export function messageKeyOf(secret: Buffer, messageIdentity: string): string {
  return keyedHash(secret, ['detach-mta index message 1', plainMessageId(messageIdentity)]);
}

/** Under which name the index knows a sender, in the form of `senderForm`. */
export const senderKeyOf = (secret: Buffer, sender: string): string =>
  keyedHash(secret, ['detach-mta index sender 1', sender]);

/** What is kept of a recipient, who is given in the form of `senderForm`. */
export const recipientKeyOf = (secret: Buffer, recipient: string): string =>
  keyedHash(secret, ['detach-mta recipient 1', recipient]);

/** The first half of a manifest's id comes from its message, so that a prefix lists all manifests of a message. */
export const manifestPrefixOf = (messageKey: string): string => messageKey.slice(0, 11);

/** The id of a manifest: the same for the same content of the same message, and it reveals nothing about it. */
export function manifestIdOf(
  secret: Buffer,
  { messageKey, manifest }: { readonly messageKey: string; readonly manifest: Buffer },
): string {
  return manifestPrefixOf(messageKey) + keyedHash(secret, ['detach-mta message 1', manifest]).slice(11);
}

/** Identifies a token in logs without revealing it. */
export const fingerprintOf: TokenFingerprint = (token) =>
  createHash('sha256').update(`detach-mta fingerprint ${token}`).digest('hex').slice(0, 10);

/** 128 bits as base64url. The first value says what the hash is for, so that uses are kept apart. */
export function keyedHash(secret: Buffer, values: readonly [purpose: string, ...(Buffer | string)[]]): string {
  const hmac = createHmac('sha256', secret);
  for (const value of values) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hmac.update(length).update(bytes);
  }
  return hmac.digest().subarray(0, 16).toString('base64url');
}
