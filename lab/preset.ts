import type { Started } from './back.ts';
import { type LabChain, startLabChain } from './chain.ts';
import { startMilterLab } from './milter.ts';
import type { LabPorts } from './places.ts';

/** A way to attach Detach MTA that the lab can bring up on one machine. */
export interface Preset {
  readonly title: string;
  /** Who hands mail to whom. */
  readonly drawing: readonly string[];
  /** The server that mail is sent to, in the words of the lab. */
  readonly front: string;
  /** Folders of the Postfix servers in the lab's home, the one that mail is sent to first. */
  readonly postfixes: readonly [string, ...string[]];
  readonly start: (home: string, ports: LabPorts, started: Started) => Promise<LabChain>;
}

export const relayhost: Preset = {
  title: 'Detach MTA lab',
  drawing: [
    '  client > Postfix A > Detach MTA > Postfix B > Dovecot',
    '                           |',
    '                        Azurite',
  ],
  front: 'Postfix A',
  postfixes: ['postfix-a', 'postfix-b'],
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
  start: startMilterLab,
};
