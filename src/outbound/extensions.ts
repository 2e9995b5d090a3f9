import type { Extensions } from './interface.ts';

export interface Hello {
  /** The name that the next hop gives itself; '' when it gives none. */
  readonly name: string;
  readonly extensions: Extensions;
}

/**
 * Reads the reply to EHLO or LHLO, code and separators included (RFC 5321 section 4.1.1.1). Keywords and parameters
 * are printable ASCII: a line with anything else is no extension, so the charset it came in does not matter.
 */
export function parseHello(reply: string): Hello {
  const [greeting = '', ...rest] = reply.split(/\r?\n/).map((line) => line.slice(4));
  const extensions = new Map<string, string>();
  for (const line of rest) {
    // `AUTH=` is how some old servers write it, beside the proper one.
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?: ([\x20-\x7e]*))?$/.exec(line.trimEnd());
    if (match?.[1] !== undefined) extensions.set(match[1].toUpperCase(), (match[2] ?? '').trim());
  }
  return { name: /^[\x21-\x7e]+/.exec(greeting)?.[0] ?? '', extensions };
}
