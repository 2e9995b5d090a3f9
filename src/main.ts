#!/usr/bin/env node
/** The command line: hands its words to the command that they name, and ends with that command's status. */
import { runCommandLine } from './commands/run-command-line.ts';
import { processIo } from './commands/process-io.ts';

const [, , ...words] = process.argv;
process.exitCode = await runCommandLine(words, processIo());
