import { allCommands, commandNames, loadCommand } from './all-commands.ts';
import { type CommandIo, reportError, versionLine } from './command.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { overview } from './help.ts';

/** Finds the command and runs it with the rest of the line. @returns the exit status */
export async function runCommandLine(words: readonly string[], io: CommandIo): Promise<number> {
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
  if (word === '--help' || word === '-h' || word === 'help') {
    const commands = await allCommands();
    const group = commands.filter(({ name }) => name.startsWith(`${first} `));
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
  /** Whether the first word begins names of two words. */
  readonly inGroup: boolean;
  readonly io: CommandIo;
}
