import { temporaryPlace } from './places.ts';
import { removeDirectory } from '../test/harness/private-directory.ts';
import type { Preset } from './preset.ts';
import { sendSample, startChain } from './round.ts';
import { bold, say } from './terminal.ts';

/** Runs the whole lab once, beside other programs, and leaves nothing behind. @returns the exit status */
export async function once(preset: Preset): Promise<number> {
  const { home, ports } = await temporaryPlace();
  say(bold(`${preset.title}, once`));
  const chain = await startChain(preset, home, ports);
  try {
    return (await sendSample(chain, preset.front)) ? 0 : 1;
  } finally {
    await chain.stop();
    removeDirectory(home);
  }
}
