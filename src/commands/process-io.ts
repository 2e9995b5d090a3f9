import { constants } from 'node:os';
import type { CommandIo } from './command.ts';
import { CommandError } from './exit-status.ts';

/** The streams of this process and its signals. */
export function processIo(): CommandIo {
  const { stdin: input, stdout: output, stderr: errors, env } = process;
  // Who reads or writes is told of the error. Without a listener, a closed reader of the output, or a signal to a command
  // that reads no input, would end the process with a stack trace.
  for (const stream of [input, output, errors]) stream.on('error', () => undefined);
  return { input, output, errors, env, interruption };
}

/**
 * Aborts at the first SIGINT or SIGTERM, so that a command can clean up; the second one ends the process. Input ends
 * with it: a command that waits for a message notices.
 */
function interruption(): AbortSignal {
  const control = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      const reason = new CommandError(128 + constants.signals[name], `ended by ${name}`);
      control.abort(reason);
      process.stdin.destroy(reason);
    });
  }
  return control.signal;
}
