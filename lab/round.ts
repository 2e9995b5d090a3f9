import { LabChain } from './chain.ts';
import { collect, post } from './deliver.ts';
import type { LabPorts } from './places.ts';
import { makeSample } from './sample.ts';
import { showResult } from './show.ts';
import { green, heading, row, say } from './terminal.ts';

/** Starts the chain and says so part by part. */
export async function startChain(home: string, ports: LabPorts): Promise<LabChain> {
  say('  client > Postfix A > Detach MTA > Postfix B > Dovecot');
  say('                           |');
  say('                        Azurite');
  heading('Starting');
  return LabChain.start(home, ports, (what, port, purpose) =>
    row(`${green('ok')}  ${what.padEnd(24)}`, `${`127.0.0.1:${port}`.padEnd(18)}${purpose}`),
  );
}

/** Sends the sample, reads it back, shows and checks everything. */
export async function sendSample(chain: LabChain): Promise<boolean> {
  const sample = makeSample();
  heading(`Sending a letter with a PDF and a photo to ${sample.to.length} people through Postfix A`);
  await post(sample, chain.ports.postfixA);
  return showResult(sample, await collect(sample, chain), chain);
}
