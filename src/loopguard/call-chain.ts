import { tag64, type Key, type Keyring } from './keyring.ts';

/**
 * The clusters that a MAIL command has come through while the first of them still waits for its reply: the value of
 * XDETACH, fingerprints joined by commas. No header exists yet, so this is all that can stop filters that call one
 * another in a circle.
 */
export class CallChain {
  /** Keyed, so that it tells a stranger nothing; the same on all replicas. */
  readonly fingerprint: string;
  readonly #own: ReadonlySet<string>;
  readonly #maxPasses: number;

  constructor(keyring: Keyring, maxPasses: number) {
    const fingerprintOf = (key: Key): string => tag64(keyring.mac(key, 'fingerprint', []));
    this.fingerprint = fingerprintOf(keyring.signing);
    this.#own = new Set(keyring.all.map(fingerprintOf));
    this.#maxPasses = maxPasses;
  }

  isOurs(fingerprint: string | undefined): boolean {
    return fingerprint !== undefined && this.#own.has(fingerprint.trim());
  }

  /** Whether one more call may be made: not when we stand in the chain as often as allowed, or it never seems to end. */
  admits(chain: string | undefined): boolean {
    if (chain === undefined) return true;
    if (chain.length > maxChainLength) return false;
    const links = linksOf(chain);
    return links.length < maxChainLinks && links.filter((link) => this.#own.has(link)).length < this.#maxPasses;
  }

  /** What is not a fingerprint is left out: nothing that we do not understand is passed on. */
  extend(chain: string | undefined): string {
    const links = [...linksOf(chain ?? '').slice(-maxChainLinks), this.fingerprint];
    while (links.join(',').length > maxChainLength) links.shift();
    return links.join(',');
  }
}

/** More filters in one call than anybody has in a row; with it, the parameter stays below 512 bytes (RFC 5321 section 4.5.3.1.4). */
const maxChainLinks = 20;
const maxChainLength = 400;

const linksOf = (chain: string): string[] => chain.split(',').filter((link) => /^[\w-]{4,64}$/.test(link));
