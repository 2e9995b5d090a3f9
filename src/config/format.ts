/** What a value looks like when it is printed: plain YAML. */
export type Printed = string | number | boolean | null | readonly (string | number | boolean)[];

/**
 * How the values of a key are written. `parse` takes what stood in the file (any YAML value) or in the environment (a
 * string); `print` gives back something that `parse` reads as the same value, unless it is a secret.
 */
export interface Format<T> {
  /** For the reference page: "size in bytes". */
  readonly label: string;
  /** A secret is neither printed nor quoted in an error. */
  readonly secret: boolean;
  /** @throws FormatError */
  parse(raw: unknown): T;
  print(value: T): Printed;
}

/** What is wrong with a value: a sentence each, without the key. Never quotes a secret. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly problems: readonly string[];

  constructor(...problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/** "must be a port, not 70000" */
export function wrong(expected: string, raw: unknown): FormatError {
  return new FormatError(`must be ${expected}, not ${quote(raw)}`);
}

function quote(raw: unknown): string {
  if (raw === null) return 'empty';
  if (typeof raw === 'object') return Array.isArray(raw) ? 'a list' : 'a group of keys';
  const text = JSON.stringify(raw);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…"`;
}

/** A string without control characters that is not empty; `valid` says whether it is the right one. */
export function text(label: string, valid: (value: string) => boolean = () => true): Format<string> {
  return {
    label,
    secret: false,
    parse(raw) {
      // YAML reads 0123 or 1e3 as numbers: guessing what was written would be wrong for a name.
      if (typeof raw === 'number' || typeof raw === 'boolean') throw new FormatError(`must be text: put it in quotes`);
      if (typeof raw !== 'string' || raw === '' || /[\0-\x1f\x7f]/.test(raw) || !valid(raw)) {
        throw wrong(`${/^[aeiou]/i.test(label) ? 'an' : 'a'} ${label}`, raw);
      }
      return raw;
    },
    print: (value) => value,
  };
}

/** Of the environment only the two words. */
export const yesOrNo: Format<boolean> = {
  label: '`true` or `false`',
  secret: false,
  parse(raw) {
    if (raw === true || raw === 'true') return true;
    if (raw === false || raw === 'false') return false;
    throw wrong('true or false', raw);
  },
  print: (value) => value,
};

export function oneOf<const T extends string>(...values: readonly T[]): Format<T> {
  const label = values.map((value) => `\`${value}\``).join(', ');
  return {
    label: `one of ${label}`,
    secret: false,
    parse(raw) {
      const found = values.find((value) => value === raw);
      if (found === undefined) throw wrong(`one of ${values.join(', ')}`, raw);
      return found;
    },
    print: (value) => value,
  };
}

export interface Bounds {
  readonly min: number;
  readonly max?: number;
}

export function integer(what: string, { min, max = Number.MAX_SAFE_INTEGER }: Bounds): Format<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const label = `${what} ${range}`;
  return {
    label,
    secret: false,
    parse(raw) {
      const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
        throw wrong(`a ${label}`, raw);
      }
      return value;
    },
    print: (value) => value,
  };
}

/** A list in YAML, or one string with commas between (the form of the environment). */
export function list<T>(item: Format<T>, options: { readonly min: number } = { min: 0 }): Format<readonly T[]> {
  return {
    label: options.min > 0 ? `list, not empty: ${item.label}` : `list: ${item.label}`,
    secret: item.secret,
    parse(raw) {
      const entries = typeof raw === 'string' ? splitList(raw) : raw;
      if (!Array.isArray(entries)) throw item.secret ? new FormatError('must be a list') : wrong('a list', raw);
      if (entries.length < options.min) throw new FormatError('must not be empty');
      const problems: string[] = [];
      const values: T[] = [];
      for (const [i, entry] of entries.entries()) {
        try {
          values.push(item.parse(entry));
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          problems.push(...error.problems.map((problem) => `entry ${i + 1}: ${problem}`));
        }
      }
      if (problems.length > 0) throw new FormatError(...problems);
      return values;
    },
    print: (values) => values.flatMap((value) => item.print(value) ?? []),
  };
}

function splitList(raw: string): readonly string[] {
  return raw.trim() === '' ? [] : raw.split(',').map((entry) => entry.trim());
}
