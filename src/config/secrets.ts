import type { GuardKey } from './config.ts';
import { connectionStringProblem } from './connection-string.ts';
import { type Format, FormatError, list } from './format.ts';

/** Stands wherever a secret would be printed. */
export const mask = '********';

export const secretText: Format<string> = {
  label: 'text',
  secret: true,
  parse(raw) {
    if (typeof raw === 'number' || typeof raw === 'boolean') throw new FormatError('must be text: put it in quotes');
    if (typeof raw !== 'string' || raw === '' || /[\0-\x1f\x7f]/.test(raw)) {
      throw new FormatError('must be text, not empty and without control characters');
    }
    return raw;
  },
  print: () => mask,
};

function base64Secret(minBytes: number): Format<Buffer> {
  return {
    label: `base64 of at least ${minBytes} bytes`,
    secret: true,
    parse: (raw) => decode(raw, minBytes),
    print: () => mask,
  };
}

/** Base64 or base64url (RFC 4648), with or without padding. `Buffer` alone would skip over anything else in silence. */
function decode(raw: unknown, minBytes: number): Buffer {
  if (typeof raw !== 'string' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(raw)) throw new FormatError('must be base64');
  const bytes = Buffer.from(raw, 'base64');
  if (bytes.length < minBytes) throw new FormatError(`must have at least ${minBytes} bytes, not ${bytes.length}`);
  return bytes;
}

/** One secret, or several: the first one is used for new records; records made with any of them are found. */
export function base64Secrets(minBytes: number): Format<readonly Buffer[]> {
  const one = base64Secret(minBytes);
  const several = list(one, { min: 1 });
  return {
    ...several,
    label: `${one.label}, or a list of them`,
    parse: (raw) => (typeof raw === 'string' && !raw.includes(',') ? [one.parse(raw)] : several.parse(raw)),
  };
}

/** HMAC-SHA-256 is as strong as its key up to the hash's own 32 bytes (RFC 2104 section 3). */
const guardKeyBytes = 32;

const guardKey: Format<GuardKey> = {
  label: `\`id:secret\`, the secret as base64 of at least ${guardKeyBytes} bytes`,
  secret: true,
  parse(raw) {
    const colon = typeof raw === 'string' ? raw.indexOf(':') : -1;
    if (typeof raw !== 'string' || colon < 0) throw new FormatError('must be id:secret');
    const id = raw.slice(0, colon);
    // The id stands in the stamp as `k=<id>;`.
    if (!/^[A-Za-z0-9._-]{1,32}$/.test(id)) {
      throw new FormatError('the id must be 1 to 32 letters, digits, dots, hyphens or underscores');
    }
    try {
      return { id, secret: decode(raw.slice(colon + 1), guardKeyBytes) };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError(...error.problems.map((problem) => `the secret of ${id} ${problem}`));
    }
  },
  print: (key) => `${key.id}:${mask}`,
};

/** The keys of the loop guard; an id says which of them made a stamp, so each may stand once. */
export function guardKeys(): Format<readonly GuardKey[]> {
  const format = list(guardKey, { min: 1 });
  return {
    ...format,
    parse(raw) {
      const keys = format.parse(raw);
      const ids = keys.map((key) => key.id);
      const twice = [...new Set(ids.filter((id, i) => ids.indexOf(id) !== i))];
      if (twice.length > 0) throw new FormatError(...twice.map((id) => `the id ${id} stands there more than once`));
      return keys;
    },
  };
}

/** An Azure connection string that the SDK takes, and that has what it needs to sign requests. */
export const connectionString: Format<string> = {
  ...secretText,
  label: 'connection string of the storage account',
  parse(raw) {
    const value = secretText.parse(raw);
    const names = new Set(
      value
        .split(';')
        .filter((segment) => segment.includes('='))
        .map((segment) => segment.slice(0, segment.indexOf('=')).trim()),
    );
    const has = (...wanted: readonly string[]): boolean => wanted.every((name) => names.has(name));
    if (!has('UseDevelopmentStorage') && !has('AccountName', 'AccountKey') && !has('SharedAccessSignature')) {
      throw new FormatError('must contain AccountName and AccountKey, SharedAccessSignature or UseDevelopmentStorage');
    }
    // It quotes nothing of the value.
    const problem = connectionStringProblem(value);
    if (problem !== undefined) throw new FormatError(`is none that Azure takes: ${problem}`);
    return value;
  },
};
