import { suggest } from '../config/suggest.ts';
import type { CommandDefinition } from './command.ts';
import { CommandError, ExitStatus } from './exit-status.ts';

type Called = Pick<CommandDefinition, 'name' | 'operands' | 'options'>;

/** What is wrong with a command line and what to do, as one line. @returns other errors as they are */
export function wrongUsage(error: unknown, called: Called): unknown {
  if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('ERR_PARSE_ARGS')) return error;
  return new CommandError(ExitStatus.usage, lineFor(error.message, called));
}

/** `parseArgs` tells the kinds of wrong usage apart by its texts alone, and quotes the word in each. */
function lineFor(message: string, called: Called): string {
  const [, word = ''] = /'(?:-\w, )?([^' ]*)/.exec(message) ?? [];
  if (message.startsWith('Unknown option')) {
    const close = suggest(word, [...Object.keys(called.options), 'config', 'help', 'version']);
    return close === undefined
      ? `unknown option ${quoted(word)}: ${helpOf(called)} lists them`
      : `unknown option ${quoted(word)}, did you mean --${close}?`;
  }
  if (message.startsWith('Unexpected argument')) return unexpected(/'(.*)'/s.exec(message)?.[1] ?? word, called);
  if (message.includes('does not take an argument')) return `${word} takes no value`;
  if (message.includes('is ambiguous')) return `${word} needs a value; one with a dash before it is written ${word}=-…`;
  return `${word} needs a value: ${helpOf(called)} says which`;
}

/** The line for a word that the command has no use for. */
export function unexpected(word: string, called: Called): string {
  const advice =
    called.operands?.startsWith('< ') === true
      ? `the message is read from standard input: ${called.operands.split(' ', 2).join(' ')}`
      : `${helpOf(called)} says what it takes`;
  return `unexpected argument ${quoted(word)}: ${advice}`;
}

const helpOf = ({ name }: Called): string => `detach-mta ${name} --help`;

const quoted = (word: string): string => JSON.stringify(word);
