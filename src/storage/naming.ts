import { createHash, createHmac } from 'node:crypto';
import type { LinkIdentity, TokenFingerprint } from './interface.ts';

/** 128 bits as base64url, whose last character carries two of them: what a link and a manifest are called. */
const keyedName = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const sha256Name = /^[0-9a-f]{64}$/;

export const isToken = (text: string): boolean => keyedName.test(text);
export const isSha256 = (text: string): boolean => sha256Name.test(text);

export const fileBlob = (sha256: string): string => `files/${sha256}`;
export const linkBlob = (token: string): string => `links/${token}`;
export const messageBlob = (id: string): string => `messages/${id}`;

/**
 * The token of a link: nobody can guess it without the secret, and whoever knows the secret gets the same one for
 * every retry of one message. Each value goes in with its length, so that no two identities read the same.
 */
export function tokenOf(secret: Buffer, identity: LinkIdentity): string {
  const { messageIdentity, reversePath, partNumber, name, type, sha256 } = identity;
  const values = [messageIdentity, reversePath, partNumber, name, type, sha256].map((value) => Buffer.from(value));
  return keyedHash(secret, 'detach-mta link 1', values);
}

/** The id of a manifest: the same for the same content, and it tells a stranger nothing about it. */
export function messageIdOf(secret: Buffer, manifest: Buffer): string {
  return keyedHash(secret, 'detach-mta message 1', [manifest]);
}

export const fingerprintOf: TokenFingerprint = (token) =>
  createHash('sha256').update(`detach-mta fingerprint ${token}`).digest('hex').slice(0, 10);

function keyedHash(secret: Buffer, purpose: string, values: readonly Buffer[]): string {
  const hmac = createHmac('sha256', secret);
  for (const value of [Buffer.from(purpose), ...values]) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(value.length));
    hmac.update(length).update(value);
  }
  return hmac.digest().subarray(0, 16).toString('base64url');
}
