import { decodeXtext } from '../../smtp/xtext.ts';

/** What we take; Postfix sends what EHLO offers (XFORWARD_README). */
export const xforwardAttributes = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE'] as const;

const known: ReadonlySet<string> = new Set(xforwardAttributes);

/**
 * The attributes of one XFORWARD command, xtext-decoded, names in capitals.
 *
 * @returns undefined when the syntax is wrong, an attribute is unknown, or a value hides a control character
 */
export function parseXforward(line: string): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>();
  for (const pair of line
    .trim()
    .split(/[ \t]+/)
    .slice(1)) {
    const eq = pair.indexOf('=');
    const name = pair.slice(0, Math.max(eq, 0)).toUpperCase();
    const value = decodeXtext(pair.slice(eq + 1)) ?? '';
    if (!known.has(name) || value === '' || value.length > 255 || /[\u0000-\u001f\u007f]/.test(value)) return undefined;
    attributes.set(name, value);
  }
  return attributes.size > 0 ? attributes : undefined;
}
