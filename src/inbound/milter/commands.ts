import type { MilterPath } from './interface.ts';
import { MilterError } from './milter-error.ts';
import type { Packet } from './packets.ts';
import { commandByte } from './protocol.ts';

/** What the mail server said. All text is a byte string (latin1). */
export type Command =
  | { readonly kind: 'negotiate'; readonly version: number; readonly actions: number; readonly steps: number }
  /** Macros for the command that follows; names without braces. */
  | { readonly kind: 'macros'; readonly macros: ReadonlyMap<string, string> }
  /** `address` is '' where the client has none that the server knows. */
  | { readonly kind: 'connect'; readonly hostname: string; readonly address: string; readonly port: number }
  | { readonly kind: 'helo'; readonly name: string }
  | { readonly kind: 'mail'; readonly mail: MilterPath }
  /** Recipients or fields in a row, as packets. */
  | { readonly kind: 'rcpt' | 'header'; readonly packets: Buffer }
  /** A field that was not kept, since there was no memory for it. */
  | { readonly kind: 'droppedHeader' }
  /** `ended`: how many packets end here. With 0, the next command has more of the same packet. */
  | { readonly kind: 'body'; readonly bytes: Buffer; readonly ended: number }
  | { readonly kind: 'endOfMessage'; readonly bytes: Buffer }
  | { readonly kind: 'data' | 'unknown' | 'endOfHeader' | 'abort' | 'quit' | 'quitNewConnection' };

type Kind = keyof typeof commandByte;

const kindOf: Readonly<Record<string, Kind>> = Object.fromEntries(
  Object.entries(commandByte).map(([kind, letter]) => [letter, kind as Kind]),
);

/** @throws MilterError for a command that is unknown, or whose data is cut short */
export function parseCommand({ letter, data, ended, skipped }: Packet): Command {
  const kind = kindOf[letter];
  if (skipped) {
    if (kind === 'header') return { kind: 'droppedHeader' };
    throw new MilterError(`${kind ?? 'unknown command'}: a packet for which there is no memory`);
  }
  switch (kind) {
    case undefined:
      throw new MilterError(`unknown command ${JSON.stringify(letter)}`);
    case 'negotiate':
      return negotiate(data);
    case 'macros':
      return macros(data);
    case 'connect':
      return connect(data);
    case 'helo':
      return { kind, name: strings(data, kind)[0] ?? '' };
    case 'mail':
      return { kind, mail: parsePath(data, kind) };
    case 'rcpt':
    case 'header':
      return { kind, packets: data };
    case 'body':
      return { kind, bytes: data, ended };
    case 'endOfMessage':
      return { kind, bytes: data };
    case 'data':
    case 'unknown':
    case 'endOfHeader':
    case 'abort':
    case 'quit':
    case 'quitNewConnection':
      return { kind };
    default:
      return kind satisfies never;
  }
}

/**
 * The path as the client said it, always with angle brackets, and the parameters of the command.
 * @throws MilterError for one that is cut short
 */
export function parsePath(data: Buffer, what: 'mail' | 'rcpt'): MilterPath {
  const text = allStrings(data, what);
  if (text === undefined) throw new MilterError(`${what}: no path`);
  const end = text.indexOf('\0');
  if (end < 0) return { path: bracketed(text), parameters: none };
  return { path: bracketed(text.slice(0, end)), parameters: text.slice(end + 1).split('\0') };
}

/** Most recipients have none: an array for each would take a tenth of their time. */
const none: readonly string[] = [];

/** Postfix leaves the brackets away for recipients of mail that did not come by SMTP. */
const bracketed = (path: string): string => (path.startsWith('<') ? path : `<${path}>`);

function negotiate(data: Buffer): Command {
  if (data.length < 12) throw new MilterError('negotiate: fewer than twelve bytes');
  const [version, actions, steps] = [data.readUInt32BE(0), data.readUInt32BE(4), data.readUInt32BE(8)];
  return { kind: 'negotiate', version, actions, steps };
}

/** The first byte is the letter of the command that they belong to, which follows. */
function macros(data: Buffer): Command {
  const words = strings(data.subarray(1), 'macros');
  const found = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) found.set(words[i]!.replace(/^\{(.*)\}$/, '$1'), words[i + 1]!);
  return { kind: 'macros', macros: found };
}

/** Host name, NUL, a letter for the family; for all but unknown ones (`U`) port and address. */
function connect(data: Buffer): Command {
  const end = data.indexOf(0);
  if (end < 0 || end + 1 >= data.length) throw new MilterError('connect: cut short');
  const hostname = data.toString('latin1', 0, end);
  if (data[end + 1] === 0x55) return { kind: 'connect', hostname, address: '', port: 0 };
  if (end + 4 > data.length) throw new MilterError('connect: no port');
  const [address = ''] = strings(data.subarray(end + 4), 'connect');
  // Sendmail writes IPv6 addresses as RFC 5321 section 4.1.3 does.
  return { kind: 'connect', hostname, address: address.replace(/^IPv6:/i, ''), port: data.readUInt16BE(end + 2) };
}

/** Strings that end with NUL each. */
const strings = (data: Buffer, what: string): readonly string[] => allStrings(data, what)?.split('\0') ?? [];

/** The same in one, without the last NUL; undefined when there is none. */
function allStrings(data: Buffer, what: string): string | undefined {
  if (data.length === 0) return undefined;
  if (data[data.length - 1] !== 0) throw new MilterError(`${what}: a string does not end`);
  return data.toString('latin1', 0, data.length - 1);
}
