#!/usr/bin/env node
/** The command line: finds the command, hands it its options, holds no logic. */
import { parseArgs } from 'node:util';
import { runConfig } from './commands/config.ts';
import { runRestore } from './commands/restore.ts';
import { runServe } from './commands/serve.ts';
import { runSweep } from './commands/sweep.ts';

const USAGE = `usage: detach-mta serve   --config FILE
       detach-mta config  --config FILE
       detach-mta restore --config FILE < detached.eml > original.eml
       detach-mta sweep   --config FILE
`;

/** sysexits.h: wrong usage. */
const EX_USAGE = 64;

const commands = new Map([
  ['serve', runServe],
  ['config', runConfig],
  ['restore', runRestore],
  ['sweep', runSweep],
]);

async function main(argv: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argv;
  if (name === '--help' || name === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const command = commands.get(name);
  if (!command) {
    process.stderr.write(name === '' ? USAGE : `detach-mta: unknown command ${JSON.stringify(name)}\n${USAGE}`);
    return EX_USAGE;
  }
  try {
    const { values } = parseArgs({ args: rest, options: { config: { type: 'string' } } });
    return await command({ file: values.config, env: process.env });
  } catch (error) {
    if (!isUsageError(error)) throw error;
    process.stderr.write(`detach-mta ${name}: ${error.message}\n`);
    return EX_USAGE;
  }
}

function isUsageError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

process.exitCode = await main(process.argv.slice(2));
