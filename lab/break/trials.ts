import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from '../../test/harness/random.ts';
import { Tripwire } from '../../test/harness/tripwire.ts';
import type { LabChain } from '../chain.ts';
import { makeSample } from '../sample.ts';
import type { Trial } from './trial.ts';

const mebibyte = 1024 * 1024;
/** A file of up to 25 MiB stays in memory; of this one the end goes to disk. */
const largeFile = 30 * mebibyte;
/** Where it stands in the way while a letter goes through. */
const middleOfLetter = 2 * mebibyte;

/** Killed with the letter half read. A wire between A and Detach MTA knows when. */
function kill(): Trial {
  let wire: Tripwire | undefined;
  return {
    title: 'kill -9, in the middle of a message',
    damage: async ({ a, detach }) => {
      wire = await Tripwire.start(detach.port);
      await a.postconf({ relayhost: `[127.0.0.1]:${wire.port}` });
      const reached = wire.arm({ direction: 'up', at: middleOfLetter }, () => void detach.kill('SIGKILL'));
      return { happened: reached };
    },
    mend: async ({ a, detach }) => {
      await detach.restart('SIGKILL');
      await a.postconf({ relayhost: `[127.0.0.1]:${detach.port}` });
      await wire?.stop();
    },
  };
}

const storage: Trial = {
  title: 'storage stopped',
  damage: async (chain) => {
    await chain.storage.azurite?.down();
    return {};
  },
  mend: async (chain) => chain.storage.azurite?.up(),
};

const nextHop: Trial = {
  title: 'Postfix B stopped',
  damage: async (chain) => {
    await chain.b?.halt();
    return {};
  },
  mend: async (chain) => chain.b?.start(),
};

/** Where the spool is: a file system of its own, so that only this program is short of room. */
export const spoolOf = ({ home }: { readonly home: string }): string => join(home, 'detach-mta/spool');
const filler = (chain: LabChain): string => join(chain.detach.home, 'spool/filler');

const disk: Trial = {
  title: "Detach MTA's disk full",
  sample: () => makeSample([{ name: 'Film.mp4', type: 'video/mp4', content: randomBytes(largeFile, 'film') }]),
  damage: (chain) => {
    fill(filler(chain));
    return Promise.resolve({});
  },
  mend: (chain) => {
    rmSync(filler(chain));
    return Promise.resolve();
  },
};

function fill(file: string): void {
  const block = Buffer.alloc(mebibyte / 4);
  try {
    for (;;) writeFileSync(file, block, { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** By the word that chooses it. */
export const trials: Readonly<Record<string, () => Trial>> = {
  kill,
  storage: () => storage,
  'next-hop': () => nextHop,
  disk: () => disk,
};
