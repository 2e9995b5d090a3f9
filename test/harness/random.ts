import { createCipheriv, createHash } from 'node:crypto';

/** Bytes that look random, do not compress, and are the same for the same seed on every machine. */
export function randomBytes(size: number, seed: string | number = 1): Buffer {
  const cipher = createCipheriv('aes-128-ctr', createHash('md5').update(String(seed)).digest(), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
