import { type Command, type CommandIo, reportError, versionLine } from './command.ts';
import { config } from './config.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { explain } from './explain.ts';
import { overview } from './help.ts';
import { restore } from './restore.ts';
import { serve } from './serve.ts';
import { sweep } from './sweep.ts';

/** In the order of `--help`. A name of two words makes a group: `links list`. */
export const commands: readonly Command[] = [serve, config, explain, restore, sweep];

/** Finds the command, and hands it the rest of the line. @returns the exit status */
export async function runCommandLine(words: readonly string[], io: CommandIo): Promise<number> {
  const [first = '', second = ''] = words;
  const found = find(first, second);
  if (found) return found.run(words.slice(found.name.split(' ').length), io);
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  try {
    return answer({ first, second, group, io });
  } catch (error) {
    return reportError(error, { name: group.length > 0 ? first : '', io });
  }
}

function find(first: string, second: string): Command | undefined {
  return commands.find(({ name }) => name === `${first} ${second}`) ?? commands.find(({ name }) => name === first);
}

/** What is no command: a request for help or for the version, or a mistake. */
function answer({ first, second, group, io }: Line): number {
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
  readonly group: readonly Command[];
  readonly io: CommandIo;
}
