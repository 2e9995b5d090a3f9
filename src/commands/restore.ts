import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/load-config.ts';
import { restore as restoreMessage } from '../detach/restore/restore.ts';
import { Spool } from '../detach/spool/spool.ts';
import { createStore } from '../storage/store.ts';
import { becomeOwner } from './become-owner.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { ExitStatus } from './exit-status.ts';
import { refuseUnused } from './open-admin.ts';
import { showWaiting } from './progress.ts';

/** `detach-mta restore`: writes nothing unless the original is complete. */
export const restore = defineCommand({
  name: 'restore',
  summary: 'Puts the files back into a delivered message: the original, byte for byte',
  operands: '< detached.eml > original.eml',
  options: {},
  run: async (context) => {
    const config = loadConfig(context.sources);
    becomeOwner(config, context.sources);
    refuseUnused(config.storage);
    // A separate folder: the service may run as another user, and counts only its own spool.
    const directory = await mkdtemp(join(tmpdir(), 'detach-restore-'));
    try {
      const spool = new Spool({ directory, maxBytes: config.spool.maxBytes, meter: { spool: () => undefined } });
      return await writeOriginal(context, { store: createStore(config), spool });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
});

type Sources = Omit<Parameters<typeof restoreMessage>[1], 'signal'>;

async function writeOriginal(context: CommandContext, sources: Sources): Promise<ExitStatus> {
  const { input, print, signal, errors } = context;
  let bytes = 0;
  // Nothing is written before all files have been read and the sum is right.
  const stop = showWaiting(errors, () =>
    bytes === 0 ? 'reading the message and its files' : `bytes written: ${bytes.toLocaleString('en')}`,
  );
  try {
    for await (const block of restoreMessage(input, { ...sources, signal })) {
      await print(block);
      bytes += block.length;
    }
  } finally {
    stop();
  }
  return ExitStatus.ok;
}
