import { allCommands, commandNames, loadCommand } from './all-commands.ts';
import { type CommandIo, reportError, versionLine } from './command.ts';
import { suggest } from '../config/suggest.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { overview } from './help.ts';

/** Finds the command and runs it with the rest of the line. @returns the exit status */
export async function runCommandLine(given: readonly string[], io: CommandIo): Promise<number> {
  const words = given[0] === 'help' ? [...given.slice(1), '--help'] : given;
  const [first = '', second = ''] = words;
  const found = (await loadCommand(`${first} ${second}`)) ?? (await loadCommand(first));
  if (found) return found.run(words.slice(found.name.split(' ').length), io);
  const inGroup = commandNames.some((name) => name.startsWith(`${first} `));
  try {
    return await answer({ first, second, inGroup, io });
  } catch (error) {
    return reportError(error, { name: inGroup ? first : '', io });
  }
}

/** Answers a line that names no command: a request for help or for the version, or wrong usage. */
async function answer({ first, second, inGroup, io }: Line): Promise<number> {
  const word = inGroup ? second : first;
  if (word === '--help' || word === '-h') {
    const commands = await allCommands();
    const group = commands.filter(({ name }) => name.startsWith(`${first} `));
    io.output.write(inGroup ? overview(group, first) : overview(commands));
    return ExitStatus.ok;
  }
  if (word === '--version') {
    io.output.write(versionLine());
    return ExitStatus.ok;
  }
  throw new CommandError(ExitStatus.usage, wrongWord(word, inGroup ? first : ''));
}

/** The line for a word that is no command of the program, or of the group. */
function wrongWord(word: string, group: string): string {
  const help = group === '' ? 'detach-mta --help' : `detach-mta ${group} --help`;
  if (word === '') return `a command is missing: ${help} lists them`;
  if (word.startsWith('-'))
    return `unknown option ${JSON.stringify(word)}: the command comes first, ${help} lists them`;
  const prefix = group === '' ? '' : `${group} `;
  const close = suggest(
    prefix + word,
    commandNames.filter((name) => name.startsWith(prefix)),
  );
  const wrong = `unknown command ${JSON.stringify(word)}`;
  return close === undefined ? `${wrong}: ${help} lists them` : `${wrong}, did you mean ${close}?`;
}

interface Line {
  readonly first: string;
  readonly second: string;
  /** Whether the first word begins names of two words. */
  readonly inGroup: boolean;
  readonly io: CommandIo;
}
