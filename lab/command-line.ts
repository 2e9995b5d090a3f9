import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errorText } from '../src/smtp/failures.ts';

const options = {
  once: { type: 'boolean' },
  directory: { type: 'boolean' },
  'two-nodes': { type: 'boolean' },
  bandwidth: { type: 'string' },
  loss: { type: 'string' },
  settings: { type: 'string' },
  home: { type: 'string' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Options = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

export interface CommandLine {
  /** `two-nodes`, `send`, `stop`, `break`, or the word of a preset. */
  readonly command: string;
  readonly rest: readonly string[];
  readonly values: Options;
}

/** What was typed cannot be meant. */
export class WrongUse extends Error {}

/** Options of each command beside --verbose and --help; what is not listed would do nothing. */
const meant: Readonly<Record<string, readonly string[]>> = {
  send: ['home'],
  stop: ['home'],
  break: ['once'],
  'two-nodes': ['two-nodes', 'once', 'bandwidth', 'loss'],
};
const meantByPresets: readonly string[] = ['once', 'directory', 'settings', 'home'];

/** @throws WrongUse for an option that there is not, or that does nothing for this command */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args);
  const [word = 'relayhost', ...others] = positionals;
  const command = values['two-nodes'] ? 'two-nodes' : word;
  const rest = values['two-nodes'] ? positionals : others;
  for (const name of Object.keys(values)) {
    const known = [...(meant[command] ?? meantByPresets), 'verbose', 'help'];
    if (!known.includes(name)) throw new WrongUse(`--${name} does not go with ${described(command)}`);
  }
  if (values.once && values.home !== undefined) throw new WrongUse('--once has a home of its own: leave out --home');
  return { command, rest, values: values.home === undefined ? values : { ...values, home: asTyped(values.home) } };
}

function parse(args: readonly string[]): { readonly values: Options; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new WrongUse(errorText(error));
  }
}

function described(command: string): string {
  if (command === 'relayhost') return 'this';
  return command === 'two-nodes' ? '--two-nodes' : command;
}

/** npm starts programs in the folder of `package.json`; names of files are meant from where npm was called. */
export function asTyped(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '', path);
}
