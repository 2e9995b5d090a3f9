import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DetachInstance } from './detach-mta.ts';

export interface Restored {
  readonly status: number;
  readonly output: Buffer;
  readonly errors: string;
}

/** `detach-mta restore` on a delivered message. */
export async function restore(
  { configFile }: Pick<DetachInstance, 'configFile'>,
  delivered: Buffer,
): Promise<Restored> {
  const program = join(import.meta.dirname, '../../dist/main.js');
  const child = spawn(process.execPath, [program, 'restore', '--config', configFile]);
  const output: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(delivered);
  const [status] = (await once(child, 'close')) as [number];
  return { status, output: Buffer.concat(output), errors };
}
