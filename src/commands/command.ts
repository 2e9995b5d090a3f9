/**
 * What all commands have in common: options, `--help`, `--version`, and how an error becomes a line and an exit
 * status. A command declares its options and does its work; it throws, and never ends the process itself.
 */
import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import type { ConfigSources } from '../config/load-config.ts';
import { CommandError, endingOf, ExitStatus } from './exit-status.ts';
import { programVersion } from '../runtime/program-folder.ts';
import { commandHelp } from './help.ts';
import { unexpected, wrongUsage } from './wrong-usage.ts';

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  /** Stands for the value in the help, as in `--config FILE`. */
  readonly value?: string;
  readonly help: string;
}

export type CommandOptions = Readonly<Record<string, CommandOption>>;

type ValueOf<O extends CommandOption> = O extends { readonly type: 'boolean' }
  ? boolean
  : O extends { readonly multiple: true }
    ? readonly string[]
    : string;

export type OptionValues<O extends CommandOptions> = { readonly [K in keyof O]: ValueOf<O[K]> | undefined };

/** The streams and the environment that a command works with: those of the process, or a test's. */
export interface CommandIo {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  readonly env: NodeJS.ProcessEnv;
  /** After this call SIGINT and SIGTERM abort the returned signal instead of ending the process. */
  readonly interruption: () => AbortSignal;
}

export interface CommandContext<O extends CommandOptions = CommandOptions> extends Omit<CommandIo, 'interruption'> {
  readonly signal: AbortSignal;
  /** For `loadConfig`: the file that `--config` names, and the environment. */
  readonly sources: ConfigSources;
  readonly options: OptionValues<O>;
  readonly positionals: readonly string[];
  /** Writes to `output`, and waits while its reader is slower. */
  readonly print: (text: string | Uint8Array) => Promise<void>;
}

export interface CommandDefinition<O extends CommandOptions = CommandOptions> {
  /** One word, or two: `links list`. */
  readonly name: string;
  /** One line for the list of all commands. */
  readonly summary: string;
  /** Command lines that show what it is for: without the name of the program. */
  readonly examples?: readonly string[];
  /** What follows the options: `URL|TOKEN`, `< message.eml`. */
  readonly operands?: string;
  /** How many operands may stand there; none by default. */
  readonly maxPositionals?: number;
  /** The command handles SIGINT and SIGTERM itself: its `signal` never aborts. */
  readonly handlesSignals?: boolean;
  readonly options: O;
  /** Throws when it cannot do its work: `exit-status.ts` maps the error to an exit status. */
  readonly run: (context: CommandContext<O>) => Promise<number>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** Runs with the words that follow the command's name. Never throws. @returns the exit status */
  readonly run: (args: readonly string[], io: CommandIo) => Promise<number>;
}

export function defineCommand<const O extends CommandOptions>(definition: CommandDefinition<O>): Command {
  const help = commandHelp(definition);
  return {
    name: definition.name,
    summary: definition.summary,
    help,
    run: async (args, io) => {
      try {
        return await runCommand(definition, { args, io, help });
      } catch (error) {
        return await reportError(error, { name: definition.name, io });
      }
    },
  };
}

/** Writes what went wrong to standard error. @returns the exit status */
export async function reportError(
  error: unknown,
  { name, io }: { readonly name: string; readonly io: CommandIo },
): Promise<number> {
  const { status, lines } = endingOf(error);
  const prefix = name === '' ? 'detach-mta' : `detach-mta ${name}`;
  // If standard error is closed, only the status tells of the error.
  for (const line of lines) await write(io.errors, `${prefix}: ${line}\n`).catch(() => undefined);
  return status;
}

export const versionLine = (): string => `detach-mta ${programVersion()}\n`;

async function runCommand<O extends CommandOptions>(
  definition: CommandDefinition<O>,
  { args, io, help }: { readonly args: readonly string[]; readonly io: CommandIo; readonly help: string },
): Promise<number> {
  const operands = definition.maxPositionals ?? 0;
  const { values, positionals } = parse(definition, args);
  const print = (text: string | Uint8Array): Promise<void> => write(io.output, text);
  if (values.help === true || values.version === true) {
    await print(values.help === true ? help : versionLine());
    return ExitStatus.ok;
  }
  if (positionals.length > operands) {
    throw new CommandError(ExitStatus.usage, unexpected(positionals.at(-1) ?? '', definition));
  }
  const { config, ...options } = values as { readonly config?: string } & OptionValues<O>;
  if (config === '') throw new CommandError(ExitStatus.usage, '--config is empty: it needs the path of a file');
  const sources: ConfigSources = { file: config, env: io.env };
  const signal = definition.handlesSignals === true ? new AbortController().signal : io.interruption();
  const context = { ...io, signal, sources, options: options as unknown as OptionValues<O>, positionals, print };
  try {
    return await definition.run(context);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/** @throws CommandError */
function parse(
  definition: Pick<CommandDefinition, 'name' | 'operands' | 'maxPositionals' | 'options'>,
  args: readonly string[],
) {
  const hasOperands = (definition.maxPositionals ?? 0) > 0;
  try {
    return parseArgs({
      args: hasOperands ? args.map(operandOf) : [...args],
      allowPositionals: hasOperands,
      options: {
        config: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
        ...parserOptions(definition.options),
      },
    });
  } catch (error) {
    throw wrongUsage(error, definition);
  }
}

/** One token in 64 begins with a dash: it must not be taken for an option. */
const operandOf = (word: string): string => (/^-[\w-]{20}[AQgw]$/.test(word) ? `./${word}` : word);

function parserOptions(options: CommandOptions): Record<string, { type: 'string' | 'boolean'; multiple?: boolean }> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
}

/** @throws the stream's error, such as EPIPE when its reader has gone */
function write(stream: Writable, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
