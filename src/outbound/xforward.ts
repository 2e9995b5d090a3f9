import { encodeXtext } from '../smtp/xtext.ts';

/** An XFORWARD command is at most 512 characters long, CRLF included (Postfix XFORWARD_README). */
const maxCommandOctets = 512 - 2;
/** What Postfix says, and expects, for an attribute that is not known. */
const unavailable = '[UNAVAILABLE]';
const verb = 'XFORWARD';

/**
 * The XFORWARD commands for these attributes, as few as fit; none when the next hop takes none of them.
 * `offered` is the value of the next hop's EHLO keyword: the names that it takes.
 */
export function xforwardCommands(attributes: ReadonlyMap<string, string>, offered: string): readonly string[] {
  const names = new Set(offered.toUpperCase().split(/ +/));
  const commands: string[] = [];
  let command = verb;
  for (const [name, value] of attributes) {
    if (!names.has(name.toUpperCase())) continue;
    const word = attribute(name.toUpperCase(), value);
    if (command.length + word.length > maxCommandOctets) {
      commands.push(command);
      command = verb;
    }
    command += word;
  }
  if (command !== verb) commands.push(command);
  return commands;
}

function attribute(name: string, value: string): string {
  const word = ` ${name}=${value === '' ? unavailable : encodeXtext(value)}`;
  return verb.length + word.length > maxCommandOctets ? ` ${name}=${unavailable}` : word;
}
