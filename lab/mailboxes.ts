import { join } from 'node:path';
import { type DovecotInstance, startDovecot } from '../test/harness/dovecot.ts';
import { dovecotAccess } from './access.ts';
import { people } from './people.ts';
import type { LabOptions, Started } from './places.ts';

export type MailboxOptions = Pick<LabOptions, 'home' | 'ports' | 'access'>;

/** Dovecot with everybody's mailbox. */
export async function startMailboxes(options: MailboxOptions): Promise<DovecotInstance> {
  const { home, ports, access } = options;
  const { password, config = '' } = dovecotAccess(access, ports);
  return startDovecot({
    users: people,
    lmtpPort: ports.lmtp,
    imapPort: ports.imap,
    home: join(home, 'dovecot'),
    config,
    ...(password === undefined ? {} : { password }),
  });
}

/** What a lab says of it when it has started. */
export const mailboxesStarted = ({ ports }: MailboxOptions): Parameters<Started> => [
  'Dovecot',
  `127.0.0.1:${ports.imap}`,
  `IMAP, and LMTP on ${ports.lmtp}`,
];
