import { type Command, type CommandIo, reportError, versionLine } from './command.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { overview } from './help.ts';
import { serve } from './serve.ts';

/** Finds the command and runs it with the rest of the line. @returns the exit status */
export async function runCommandLine(words: readonly string[], io: CommandIo): Promise<number> {
  const [first = '', second = ''] = words;
  // `serve` runs for months, so it does not load the code of the other commands.
  if (first === serve.name) return serve.run(words.slice(1), io);
  const { commands } = await import('./all-commands.ts');
  const found = find(commands, { first, second });
  if (found) return found.run(words.slice(found.name.split(' ').length), io);
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  try {
    return answer({ first, second, commands, group, io });
  } catch (error) {
    return reportError(error, { name: group.length > 0 ? first : '', io });
  }
}

function find(commands: readonly Command[], { first, second }: Pick<Line, 'first' | 'second'>): Command | undefined {
  return commands.find(({ name }) => name === `${first} ${second}`) ?? commands.find(({ name }) => name === first);
}

/** Answers a line that names no command: a request for help or for the version, or wrong usage. */
function answer({ first, second, commands, group, io }: Line): number {
  const inGroup = group.length > 0;
  const word = inGroup ? second : first;
  if (word === '--help' || word === '-h' || word === 'help') {
    io.output.write(inGroup ? overview(group, first) : overview(commands));
    return ExitStatus.ok;
  }
  if (first === '--version') {
    io.output.write(versionLine());
    return ExitStatus.ok;
  }
  const kind = word.startsWith('-') ? 'option' : 'command';
  const wrong = word === '' ? 'a command is missing' : `unknown ${kind} ${JSON.stringify(word)}`;
  const help = inGroup ? `detach-mta ${first} --help` : 'detach-mta --help';
  throw new CommandError(ExitStatus.usage, `${wrong}: ${help} lists them`);
}

interface Line {
  readonly first: string;
  readonly second: string;
  readonly commands: readonly Command[];
  readonly group: readonly Command[];
  readonly io: CommandIo;
}
