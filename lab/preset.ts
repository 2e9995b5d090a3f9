import { type LabChain, startLabChain } from './chain.ts';
import { startMilterLab } from './milter.ts';
import type { LabOptions } from './places.ts';
import type { StorageKind } from './storage.ts';

/** A way to attach Detach MTA that the lab can bring up on one machine. */
export interface Preset {
  readonly title: string;
  /** Who hands mail to whom. */
  readonly drawing: readonly string[];
  /** Name of the server that mail is sent to, for the lab's output. */
  readonly front: string;
  /** Folders of the Postfix servers in the lab's home, the one that mail is sent to first. */
  readonly postfixes: readonly [string, ...string[]];
  readonly storage: StorageKind;
  readonly start: (options: LabOptions) => Promise<LabChain>;
}

/** The same, with files in a directory of this machine. */
export const inDirectory = (preset: Preset): Preset => ({
  ...preset,
  title: `${preset.title}, files in a directory`,
  drawing: preset.drawing.map((line) => line.replace(' Azurite', 'directory')),
  storage: 'directory',
});

export const relayhost: Preset = {
  title: 'Detach MTA lab',
  drawing: [
    '  client > Postfix A > Detach MTA > Postfix B > Dovecot',
    '                           |',
    '                        Azurite',
  ],
  front: 'Postfix A',
  postfixes: ['postfix-a', 'postfix-b'],
  storage: 'azurite',
  start: startLabChain,
};

export const milter: Preset = {
  title: 'Detach MTA lab: a Milter on one Postfix',
  drawing: [
    '  client > Postfix > Dovecot',
    '            |   ^',
    '            v   |  Milter protocol',
    '          Detach MTA',
    '              |',
    '           Azurite',
  ],
  front: 'Postfix',
  postfixes: ['postfix-milter'],
  storage: 'azurite',
  start: startMilterLab,
};
