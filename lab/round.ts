import type { LabChain, LabView } from './chain.ts';
import { showCourse } from './course.ts';
import { collect, post } from './deliver.ts';
import { Interrupted } from './interrupt.ts';
import type { Started } from './places.ts';
import type { Preset } from './preset.ts';
import { makeSample } from './sample.ts';
import { type ServerOptions, startServers } from './servers.ts';
import { showSettings } from './show-settings.ts';
import { showResult } from './show.ts';
import { dim, green, heading, inDetail, row, say } from './terminal.ts';

/** One line for each server that has started. */
const sayStarted: Started = (what, address, purpose) =>
  row(`${green('ok')}  ${what.padEnd(24)}`, `${address.padEnd(18)}${purpose}`);

export interface ChainOptions extends Omit<ServerOptions, 'started'> {
  /** Stops between two servers when it aborts. */
  readonly signal: AbortSignal;
}

/** Starts the chain and the webmail, and reports each part. @throws Interrupted */
export async function startChain(preset: Preset, { signal, ...options }: ChainOptions): Promise<LabChain> {
  for (const line of preset.drawing) say(line);
  inDetail(() => heading('Starting'));
  const names: string[] = [];
  const started: Started = (what, address, purpose) => {
    names.push(what);
    inDetail(() => sayStarted(what, address, purpose));
    if (signal.aborted) throw new Interrupted();
  };
  const began = performance.now();
  const chain = await startServers(preset, { ...options, started });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(`\n  ${green('up')}    ${names.join(', ')} ${dim(`in ${seconds} s`)}`);
  if (options.settings) await showSettings(options.settings, preset, chain);
  return chain;
}

/** Sends the sample, reads it back, shows and checks everything. */
export async function sendSample(chain: LabView, front = 'Postfix A'): Promise<boolean> {
  const sample = makeSample();
  heading(`A letter with a PDF and a photo, to ${sample.to.length} people through ${front}`);
  await post(sample, chain.ports.postfixA);
  const copies = await collect(sample, chain);
  await showCourse(sample.messageId, chain);
  return showResult(sample, copies, chain);
}
