/**
 * The arguments of MAIL and RCPT as received (RFC 5321 section 4.1.2): a byte string that is relayed untouched.
 */
export interface PathCommand {
  /** The path with its angle brackets, source route included, as in `<@a.example:user@b.example>` or `<>`. */
  readonly path: string;
  /** The ESMTP parameters as received, as in `BODY=8BITMIME` or `ORCPT=rfc822;u+40example.com`. */
  readonly params: readonly string[];
}

/** The value of a parameter, '' for a keyword alone, undefined when absent. The keyword is compared without case. */
export function paramValue(command: PathCommand, keyword: string): string | undefined {
  const wanted = keyword.toUpperCase();
  for (const param of command.params) {
    const eq = param.indexOf('=');
    const name = eq < 0 ? param : param.slice(0, eq);
    if (name.toUpperCase() === wanted) return eq < 0 ? '' : param.slice(eq + 1);
  }
  return undefined;
}

/** The mailbox inside a path: no brackets, no source route; '' for the null reverse-path. Still a byte string. */
export function mailboxOf(path: string): string {
  const inner = path.slice(1, -1);
  if (!inner.startsWith('@')) return inner;
  const colon = inner.indexOf(':');
  return colon < 0 ? inner : inner.slice(colon + 1);
}
