import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { GuardKey } from '../config/config.ts';

export interface Key {
  /** As it stands in a stamp: nothing in it ends a value or a line. */
  readonly id: string;
  readonly secret: KeyObject;
}

/** What a MAC is made of. */
interface Input {
  /** Keeps uses apart. */
  readonly purpose: string;
  /** Byte strings. */
  readonly parts?: readonly string[];
}

/** The keys of a cluster: the first one signs, all of them verify, so that keys rotate while mail is on its way. */
export class Keyring {
  readonly cluster: string;
  readonly signing: Key;
  readonly all: readonly Key[];

  constructor(cluster: string, keys: readonly GuardKey[]) {
    this.cluster = token(cluster);
    this.all = keys.map(({ id, secret }) => ({ id: token(id), secret: createSecretKey(secret) }));
    const [first] = this.all;
    if (!first) throw new RangeError('loopguard.keys: at least one key is needed');
    this.signing = first;
  }

  find(id: string): Key | undefined {
    return this.all.find((key) => key.id === id);
  }

  /** HMAC-SHA-256 over the cluster and byte strings that cannot run into one another. */
  mac(key: Key, { purpose, parts = [] }: Input): Buffer {
    let input = `${purpose}\0${this.cluster}\0`;
    for (const part of parts) input += `${part.length}:${part}`;
    return createHmac('sha256', key.secret).update(input, 'latin1').digest();
  }
}

/** 64 bits at an offset of a MAC, as they stand in a field: 11 characters of base64url. */
export const tag64 = (mac: Buffer, offset = 0): string => mac.toString('base64url', offset, offset + 8);

/** A configured name as a value that may stand in a field: other characters are percent-encoded. */
function token(name: string): string {
  return [...Buffer.from(name, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9._-]/.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
