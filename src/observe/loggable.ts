/** Longest string in a line; what is cut off is counted. */
const maxString = 4096;
const maxEntries = 1000;
const maxDepth = 8;

/** A value as it may stand in a log line: plain JSON, no dumps of bytes, errors as message, code and causes. */
export function toLoggable(
  value: unknown,
  { stacks, depth = 0 }: { readonly stacks: boolean; readonly depth?: number },
): unknown {
  switch (typeof value) {
    case 'string':
      return value.length <= maxString ? value : `${value.slice(0, maxString)}… (${value.length - maxString} more)`;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
    case 'undefined':
      return undefined;
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : objectToLoggable(value, { stacks, depth });
  }
}

interface Place {
  /** Whether errors have their stacks. */
  readonly stacks: boolean;
  /** How many values this one is nested in. */
  readonly depth: number;
}

const below = ({ stacks, depth }: Place): Place => ({ stacks, depth: depth + 1 });

function objectToLoggable(value: object, at: Place): unknown {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `<${value.byteLength} bytes>`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof URL) return value.href;
  if (at.depth >= maxDepth) return '…';
  if (value instanceof Error) return errorToLoggable(value, at);
  if (value instanceof Map)
    return entriesToLoggable(
      [...value].map(([k, v]) => [String(k), v]),
      at,
    );
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...(value as Iterable<unknown>)];
    const shown = items.slice(0, maxEntries).map((item) => toLoggable(item, below(at)) ?? null);
    return items.length > maxEntries ? [...shown, `… (${items.length - maxEntries} more)`] : shown;
  }
  return recordToLoggable(value as Readonly<Record<string, unknown>>, at);
}

function recordToLoggable(record: Readonly<Record<string, unknown>>, at: Place): unknown {
  const names = Object.keys(record);
  if (names.length > maxEntries) return entriesToLoggable(Object.entries(record), at);
  // A copy has a name such as `__proto__` as its own already: setting it changes nothing else.
  const shown = { ...record };
  const inside = below(at);
  for (const name of names) shown[name] = toLoggable(record[name], inside);
  return shown;
}

function entriesToLoggable(entries: readonly (readonly [string, unknown])[], at: Place): unknown {
  const shown = entries.slice(0, maxEntries).map(([name, entry]) => [name, toLoggable(entry, below(at))] as const);
  return Object.fromEntries(
    entries.length > maxEntries ? [...shown, ['…', `${entries.length - maxEntries} more`]] : shown,
  );
}

/** Only what is known to be safe: errors of libraries carry whole requests, credentials included. */
function errorToLoggable(error: Error, at: Place): unknown {
  const { name, message, cause } = error;
  const code =
    'code' in error && error.code !== undefined
      ? { code: toLoggable(error.code, { stacks: at.stacks, depth: maxDepth }) }
      : {};
  const kind = 'kind' in error && typeof error.kind === 'string' ? { kind: error.kind } : {};
  return {
    type: name,
    message: toLoggable(message, at),
    ...kind,
    ...code,
    ...(error instanceof AggregateError ? { errors: toLoggable(error.errors, below(at)) } : {}),
    ...(at.stacks && error.stack !== undefined ? { stack: toLoggable(error.stack, at) } : {}),
    ...(cause === undefined ? {} : { cause: toLoggable(cause, below(at)) }),
  };
}
