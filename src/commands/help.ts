import type { Command, CommandDefinition, CommandOption, CommandOptions } from './command.ts';

const common: CommandOptions = {
  config: { type: 'string', value: 'FILE', help: 'YAML file; without it, all settings come from DETACH_… variables' },
  help: { type: 'boolean', help: 'print this and exit' },
  version: { type: 'boolean', help: 'print the version and exit' },
};

type Described = Pick<CommandDefinition, 'name' | 'summary' | 'examples' | 'operands' | 'options'>;

/** What `detach-mta NAME --help` prints. */
export function commandHelp({ name, summary, examples = [], operands = '', options }: Described): string {
  const own = Object.entries(options).map(([option, details]) => ` [${flag(option, details)}]${repeat(details)}`);
  const usage = `usage: detach-mta ${name} --config FILE${own.join('')}${operands === '' ? '' : ` ${operands}`}\n`;
  const rows = Object.entries({ ...options, ...common }).map(
    ([option, details]) => [flag(option, details), details.help] as const,
  );
  const shown = examples.map((line) => `  detach-mta ${line}\n`).join('');
  return `${usage}\n${summary}\n\n${table(rows)}${shown === '' ? '' : `\nFor example:\n${shown}`}`;
}

/** What `detach-mta --help` prints, or `detach-mta links --help` for the commands of a group. */
export function overview(commands: readonly Command[], group = ''): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  const name = group === '' ? 'detach-mta' : `detach-mta ${group}`;
  return `usage: ${name} COMMAND --config FILE [OPTION]…\n\n${table(rows)}\ndetach-mta COMMAND --help says more; detach-mta --version prints the version.\n`;
}

function flag(name: string, { value }: CommandOption): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

const repeat = ({ multiple = false }: CommandOption): string => (multiple ? '…' : '');

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}
