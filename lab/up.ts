import { showHelp } from './help.ts';
import { interrupted, interruptions, unlessInterrupted } from './interrupt.ts';
import { assertFree, labHome, usualPorts } from './places.ts';
import { type Preset, presets } from './preset.ts';
import { sendSample, startChain } from './round.ts';
import type { LabSettings } from './settings.ts';
import { claim, forgetState, runningLab } from './state.ts';
import { bold, say } from './terminal.ts';

/** Starts the lab and keeps it up until Ctrl-C or `stop`. @returns the exit status */
export async function up(name: string, preset: Preset, settings?: LabSettings): Promise<number> {
  const home = labHome();
  const running = await runningLab(home);
  if (running) {
    say(`The lab is running already: ${presets[running.preset]?.title ?? running.preset}, process ${running.pid}.`);
    showHelp(home, running.ports);
    return 0;
  }
  await assertFree(usualPorts);
  claim(home, { pid: process.pid, ports: usualPorts, preset: name });
  const signal = interruptions();
  try {
    say(bold(preset.title));
    const chain = await startChain(preset, { home, ports: usualPorts, signal, ...(settings ? { settings } : {}) });
    try {
      const good = await unlessInterrupted(signal, sendSample(chain, preset.front));
      showHelp(home, usualPorts);
      await interrupted(signal);
      say('\nStopping.');
      return good ? 0 : 1;
    } finally {
      await chain.stop();
    }
  } finally {
    forgetState(home);
  }
}
