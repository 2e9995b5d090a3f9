import { mkdirSync } from 'node:fs';
import { Cleanup } from '../../test/harness/cleanup.ts';
import { removeDirectory } from '../../test/harness/private-directory.ts';
import { run } from '../../test/harness/process.ts';
import { type LabChain, startLabChain } from '../chain.ts';
import { interruptions, meaningOf, unlessInterrupted } from '../interrupt.ts';
import { temporaryPlace } from '../places.ts';
import { relayhost } from '../preset.ts';
import { bold, green, red, say } from '../terminal.ts';
import { runLoops } from './loop.ts';
import { runTrial } from './trial.ts';
import { spoolOf, trials } from './trials.ts';

/** The words that choose what is broken. */
export const breakable: readonly string[] = [...Object.keys(trials), 'loop'];

/**
 * What the promise is worth: breaks one part of the chain after the other while a letter is under way. On free ports, and
 * nothing is left behind. @returns the exit status
 */
export async function breakThings(chosen: readonly string[]): Promise<number> {
  const signal = interruptions();
  const parts = new Cleanup();
  try {
    say(bold('Detach MTA lab: what the promise is worth'));
    for (const line of relayhost.drawing) say(line.replace(' > webmail, IMAP', ''));
    const { home, ports } = await temporaryPlace();
    parts.defer(() => removeDirectory(home));
    await mountSpool(spoolOf({ home }), parts);
    const chain = await parts.use(startLabChain({ home, ports, storage: 'azurite', started: () => undefined }));
    const good = await unlessInterrupted(signal, runAll(chosen.length > 0 ? chosen : breakable, chain));
    say(
      `\n${good ? green('Nothing was lost, nothing came twice.') : red('Something is not as it should be: see FAIL.')}`,
    );
    return good ? 0 : 1;
  } catch (error) {
    throw meaningOf(signal, error);
  } finally {
    await parts.end();
  }
}

async function runAll(chosen: readonly string[], chain: LabChain): Promise<boolean> {
  let good = true;
  for (const name of chosen) {
    const trial = trials[name]?.();
    good = (await (trial ? runTrial(trial, chain) : runLoops(chain))) && good;
  }
  return good;
}

/** A small file system in memory. */
async function mountSpool(spool: string, parts: Cleanup): Promise<void> {
  mkdirSync(spool, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', 'size=40m,mode=700', 'tmpfs', spool]);
  parts.defer(() => run('umount', ['-l', spool]));
}
