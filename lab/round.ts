import type { LabChain, LabView } from './chain.ts';
import { collect, post } from './deliver.ts';
import type { LabPorts, Started } from './places.ts';
import type { Preset } from './preset.ts';
import { makeSample } from './sample.ts';
import { showResult } from './show.ts';
import { green, heading, row, say } from './terminal.ts';

/** One line for each server that has started. */
export const sayStarted: Started = (what, address, purpose) =>
  row(`${green('ok')}  ${what.padEnd(24)}`, `${address.padEnd(18)}${purpose}`);

/** Starts the chain and reports each part. */
export async function startChain(preset: Preset, home: string, ports: LabPorts): Promise<LabChain> {
  for (const line of preset.drawing) say(line);
  heading('Starting');
  return preset.start({ home, ports, storage: preset.storage, started: sayStarted });
}

/** Sends the sample, reads it back, shows and checks everything. */
export async function sendSample(chain: LabView, front = 'Postfix A'): Promise<boolean> {
  const sample = makeSample();
  heading(`Sending a letter with a PDF and a photo to ${sample.to.length} people through ${front}`);
  await post(sample, chain.ports.postfixA);
  return showResult(sample, await collect(sample, chain), chain);
}
