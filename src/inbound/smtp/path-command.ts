import type { PathCommand } from '../../smtp/command.ts';

/**
 * Takes MAIL FROM or RCPT TO apart just far enough to relay it (RFC 5321 section 4.1.2). What stands between the angle
 * brackets is the next hop's to judge: quoted local parts, source routes, punycode and UTF-8 stay as they came.
 *
 * @returns undefined when there is no path in angle brackets, or a control character in it
 */
export function parsePathCommand(verb: 'MAIL FROM' | 'RCPT TO', line: string): PathCommand | undefined {
  const match = (verb === 'MAIL FROM' ? /^MAIL FROM:[ \t]*</i : /^RCPT TO:[ \t]*</i).exec(line);
  if (!match || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) return undefined;
  const open = match[0].length - 1;
  const close = endOfPath(line, open);
  if (close < 0) return undefined;
  const rest = line.slice(close + 1);
  if (rest !== '' && !/^[ \t]/.test(rest)) return undefined;
  return { path: line.slice(open, close + 1), params: rest.split(/[ \t]+/).filter((param) => param !== '') };
}

/** The closing bracket; one inside a quoted local part (RFC 5321 `Quoted-string`) does not count. */
function endOfPath(line: string, open: number): number {
  let quoted = false;
  for (let i = open + 1; i < line.length; i += 1) {
    const char = line[i];
    if (quoted) {
      if (char === '\\') i += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '>') return i;
    else if (char === '<' || char === ' ' || char === '\t') return -1;
  }
  return -1;
}
