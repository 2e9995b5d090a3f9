import { showHelp } from './help.ts';
import { interrupted, interruptions, meaningOf, unlessInterrupted } from './interrupt.ts';
import { assertFree, labPlace } from './places.ts';
import { type Preset, presets } from './preset.ts';
import { sendSample, startChain } from './round.ts';
import type { LabSettings } from './settings.ts';
import { claim, forgetState, runningLab } from './state.ts';
import { bold, say } from './terminal.ts';

export interface UpOptions {
  /** The word that chose the preset. */
  readonly name: string;
  /** Where it lives; `.lab` if not given. */
  readonly directory: string | undefined;
  readonly settings: LabSettings | undefined;
}

/** Starts the lab and keeps it up until Ctrl-C or `stop`. @returns the exit status */
export async function up(preset: Preset, { name, directory, settings }: UpOptions): Promise<number> {
  const { home, ports } = await labPlace(directory);
  const running = await runningLab(home);
  if (running) {
    say(`The lab is running already: ${presets[running.preset]?.title ?? running.preset}, process ${running.pid}.`);
    showHelp(home, running.ports, directory);
    return 0;
  }
  await assertFree(ports);
  claim(home, { pid: process.pid, ports, preset: name });
  const signal = interruptions();
  try {
    say(bold(preset.title));
    const chain = await startChain(preset, { home, ports, signal, ...(settings ? { settings } : {}) });
    try {
      const good = await unlessInterrupted(signal, sendSample(chain, preset.front));
      showHelp(home, ports, directory);
      await interrupted(signal);
      say('\nStopping.');
      return good ? 0 : 1;
    } finally {
      await chain.stop();
    }
  } catch (error) {
    throw meaningOf(signal, error);
  } finally {
    forgetState(home);
  }
}
