import { temporaryPlace } from './places.ts';
import { removeDirectory } from '../test/harness/private-directory.ts';
import { sendSample, startChain } from './round.ts';
import { bold, say } from './terminal.ts';

/** The whole lab once, beside whatever else runs here; nothing stays. @returns the exit status */
export async function once(): Promise<number> {
  const { home, ports } = await temporaryPlace();
  say(bold('Detach MTA lab, once'));
  const chain = await startChain(home, ports);
  try {
    return (await sendSample(chain)) ? 0 : 1;
  } finally {
    await chain.stop();
    removeDirectory(home);
  }
}
