import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { ConfigError } from '../config/config-error.ts';
import { loadConfig, type ConfigSources } from '../config/load-config.ts';
import { RestoreError, type RestoreProblem } from '../detach/restore/restore-error.ts';
import { restore } from '../detach/restore/restore.ts';
import { Spool } from '../detach/spool/spool.ts';
import { Failure } from '../smtp/failures.ts';
import { createStore } from '../storage/store.ts';

/** Exit statuses of sysexits.h. */
const EX_CONFIG = 78;
const EX_IOERR = 74;
const exitStatus = { foreign: 65, changed: 65, fileGone: 66, storage: 69 } as const satisfies Record<
  RestoreProblem,
  number
>;

export interface RestoreCommandOptions extends ConfigSources {
  readonly input?: Readable;
  readonly output?: Writable;
  readonly report?: (text: string) => void;
}

/**
 * `detach-mta restore --config FILE < detached.eml > original.eml`. Writes nothing unless the original is complete.
 * @returns 0; 65 when the message was changed or is not ours, 66 when a file is gone, 69 when storage fails
 */
export async function runRestore({
  file,
  env,
  input = process.stdin,
  output = process.stdout,
  report = (text) => process.stderr.write(text),
}: RestoreCommandOptions): Promise<number> {
  // A folder of its own: the service may run under another user, and keeps count of its own spool.
  const directory = await mkdtemp(join(tmpdir(), 'detach-restore-'));
  try {
    const config = loadConfig({ file, env });
    const spool = new Spool({ directory, maxBytes: config.spool.maxBytes, meter: { spool: () => undefined } });
    const original = restore(input, { store: createStore(config), spool, signal: new AbortController().signal });
    for await (const block of original) if (!output.write(block)) await once(output, 'drain');
    return 0;
  } catch (error) {
    const problem = describe(error);
    if (!problem) throw error;
    for (const line of problem.lines) report(`detach-mta restore: ${line}\n`);
    return problem.status;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function describe(error: unknown): { readonly status: number; readonly lines: readonly string[] } | undefined {
  if (error instanceof ConfigError) return { status: EX_CONFIG, lines: error.lines };
  if (error instanceof RestoreError) return { status: exitStatus[error.problem], lines: [error.message] };
  if (error instanceof Failure) {
    const status = error.kind === 'headerTooLarge' ? exitStatus.foreign : EX_IOERR;
    return { status, lines: [error.message] };
  }
  return undefined;
}
