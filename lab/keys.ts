import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './write-whole.ts';

/** Kept from one start of a lab to the next, so that stamps, links and logins of earlier stay valid. */
export interface LabKeys {
  readonly guard: string;
  readonly links: string;
  /** Of every person in the lab. */
  readonly password: string;
  /** With which the webmail encrypts the passwords in its sessions: 24 characters. */
  readonly webmail: string;
}

/** Letters and digits that cannot be taken for one another. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

export function labKeys(home: string): LabKeys {
  const file = join(home, 'keys.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<LabKeys>) : {};
  const keys = { ...freshKeys(), ...kept };
  if (Object.keys(keys).some((name) => !(name in kept))) writeWhole(file, JSON.stringify(keys), 0o600);
  return keys;
}

function freshKeys(): LabKeys {
  const secret = (): string => randomBytes(32).toString('base64');
  return {
    guard: `k1:${secret()}`,
    links: secret(),
    password: Array.from(randomBytes(10), (byte) => alphabet[byte % alphabet.length]).join(''),
    webmail: randomBytes(18).toString('base64'),
  };
}
