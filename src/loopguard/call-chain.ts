import { tag64, type Key, type Keyring } from './keyring.ts';

/**
 * The value of XDETACH: fingerprints, joined by commas, of the clusters that a MAIL command has passed while all of
 * them still wait for its reply. There is no header yet, so only this can stop filters that call one another in a
 * circle.
 */
export class CallChain {
  /** A keyed hash, so that it reveals nothing to a stranger. All replicas have the same one. */
  readonly fingerprint: string;
  readonly #own: ReadonlySet<string>;
  readonly #maxPasses: number;

  constructor(keyring: Keyring, maxPasses: number) {
    const fingerprintOf = (key: Key): string => tag64(keyring.mac(key, { purpose: 'fingerprint' }));
    this.fingerprint = fingerprintOf(keyring.signing);
    this.#own = new Set(keyring.all.map(fingerprintOf));
    this.#maxPasses = maxPasses;
  }

  isOurs(fingerprint: string | undefined): boolean {
    return fingerprint !== undefined && this.#own.has(fingerprint.trim());
  }

  /** Whether one more call may be made: not when we appear in the chain as often as allowed, or when it is too long. */
  admits(chain: string | undefined): boolean {
    if (chain === undefined) return true;
    if (chain.length > maxChainLength) return false;
    const links = linksOf(chain);
    return links.length < maxChainLinks && links.filter((link) => this.#own.has(link)).length < this.#maxPasses;
  }

  /** Entries that are not fingerprints are left out, so that we pass on only what we understand. */
  extend(chain: string | undefined): string {
    const links = [...linksOf(chain ?? '').slice(-maxChainLinks), this.fingerprint];
    while (links.join(',').length > maxChainLength) links.shift();
    return links.join(',');
  }
}

/** More filters than anybody puts in a row. It keeps the parameter below 512 bytes (RFC 5321 section 4.5.3.1.4). */
const maxChainLinks = 20;
const maxChainLength = 400;

const linksOf = (chain: string): string[] => chain.split(',').filter((link) => /^[\w-]{4,64}$/.test(link));
