import { removeDirectory } from '../test/harness/private-directory.ts';
import { interruptions, meaningOf, unlessInterrupted } from './interrupt.ts';
import { temporaryPlace } from './places.ts';
import type { Preset } from './preset.ts';
import { sendSample, startChain } from './round.ts';
import type { LabSettings } from './settings.ts';
import { bold, say } from './terminal.ts';

/** Runs the whole lab once, beside other programs, and leaves nothing behind. @returns the exit status */
export async function once(preset: Preset, settings?: LabSettings): Promise<number> {
  const signal = interruptions();
  const { home, ports } = await temporaryPlace();
  try {
    say(bold(`${preset.title}, once`));
    const chain = await startChain(preset, { home, ports, signal, ...(settings ? { settings } : {}) });
    try {
      return (await unlessInterrupted(signal, sendSample(chain, preset.front))) ? 0 : 1;
    } finally {
      await chain.stop();
    }
  } catch (error) {
    throw meaningOf(signal, error);
  } finally {
    removeDirectory(home);
  }
}
