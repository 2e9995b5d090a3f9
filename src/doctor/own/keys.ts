import { createHmac } from 'node:crypto';
import { type Found, ok, warn } from '../finding.ts';
import type { Check } from '../interface.ts';

/** Enough to compare, not enough to guess from. */
const fingerprintDigits = 8;

/** Fingerprints, to be compared with those of the other replicas: all keys must be the same there. */
export const keys: Check = {
  name: 'keys',
  run({ config: { loopguard, links } }) {
    const guard = loopguard.keys.map(({ id, secret }) => `${id} ${fingerprint(secret)}`).join(', ');
    const secrets = links.secret.map(fingerprint).join(', ');
    const found: Found[] = [
      ok(
        `fingerprints, the same on all replicas: loopguard.keys ${guard}; links.secret ${secrets}; loopguard.cluster ${loopguard.cluster}`,
      ),
    ];
    const all = [...loopguard.keys.map(({ secret }) => secret), ...links.secret];
    if (all.some((secret, i) => all.findIndex((other) => other.equals(secret)) !== i))
      found.push(warn('two keys are the same', 'make each with openssl rand -base64 32'));
    if (all.some(looksMadeUp))
      found.push(
        warn('a key is not random', 'make each with openssl rand -base64 32: who knows links.secret can compute links'),
      );
    return found;
  },
};

const fingerprint = (secret: Buffer): string =>
  createHmac('sha256', secret).update('detach-mta doctor fingerprint').digest('hex').slice(0, fingerprintDigits);

/** Of 16 random bytes or more, nearly all differ. */
const looksMadeUp = (secret: Buffer): boolean => new Set(secret).size < Math.min(secret.length, 32) / 2;
