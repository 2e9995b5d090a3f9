import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DetachInstance } from './detach-mta.ts';

export interface CommandEnd {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const program = join(import.meta.dirname, '../../dist/main.js');

/** Runs a command of the compiled program with the configuration of an instance, as an operator does. */
export async function command(
  { configFile }: Pick<DetachInstance, 'configFile'>,
  words: readonly string[],
): Promise<CommandEnd> {
  const child = spawn(process.execPath, [program, ...words, '--config', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number];
  return { status, stdout, stderr };
}
