import { type LabChain, startLabChain } from './chain.ts';
import { folderOf, type OnePostfix, startOnePostfix } from './one-postfix.ts';
import type { LabOptions } from './places.ts';
import type { StorageKind } from './storage.ts';
import { beforeQueueWay, lmtpWay, milterWay, singlePostfixWay } from './ways.ts';

/** A way to attach Detach MTA that the lab can bring up on one machine. */
export interface Preset {
  readonly title: string;
  /** Who hands mail to whom. */
  readonly drawing: readonly string[];
  /** Name of the server that mail is sent to, for the lab's output. */
  readonly front: string;
  /** Their configurations in this repository, in the order of the message. */
  readonly configurations: readonly [string, ...string[]];
  /** Folder of the first one in the lab's home. */
  readonly folder: string;
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
    '  client > Postfix A > Detach MTA > Postfix B > Dovecot > webmail, IMAP',
    '                           |',
    '                        Azurite',
  ],
  front: 'Postfix A',
  configurations: ['postfix-a', 'postfix-b'],
  folder: 'postfix-a',
  storage: 'azurite',
  start: startLabChain,
};

/** Every preset by the word that chooses it. */
export const presets: Readonly<Record<string, Preset>> = {
  relayhost,
  'before-queue': onePostfix(beforeQueueWay, 'before the queue of one Postfix', [
    '  client > Postfix, port 25 > Detach MTA > the same Postfix, port 10026 > Dovecot > webmail, IMAP',
    '                                  |',
    '                               Azurite',
  ]),
  milter: onePostfix(milterWay, 'a Milter on one Postfix', [
    '  client > Postfix > Dovecot > webmail, IMAP',
    '            |   ^',
    '            v   |  Milter protocol',
    '          Detach MTA',
    '              |',
    '           Azurite',
  ]),
  'single-postfix': onePostfix(singlePostfixWay, 'a content filter of one Postfix', [
    '  client > Postfix and its queue > Detach MTA > the same Postfix, port 10026 > Dovecot > webmail, IMAP',
    '                                       |',
    '                                    Azurite',
  ]),
  lmtp: onePostfix(lmtpWay, 'LMTP, between one Postfix and its mailboxes', [
    '  client > Postfix > (LMTP) Detach MTA > (LMTP) Dovecot > webmail, IMAP',
    '                                |',
    '                             Azurite',
  ]),
  directory: inDirectory(relayhost),
};

function onePostfix(way: OnePostfix, how: string, drawing: readonly string[]): Preset {
  return {
    title: `Detach MTA lab: ${how}`,
    drawing,
    front: 'Postfix',
    configurations: [way.dir],
    folder: folderOf(way),
    storage: 'azurite',
    start: startOnePostfix(way),
  };
}
