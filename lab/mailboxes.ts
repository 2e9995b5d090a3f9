import { join } from 'node:path';
import { type DovecotInstance, startDovecot } from '../test/harness/dovecot.ts';
import { dovecotAccess } from './access.ts';
import { people } from './people.ts';
import type { LabOptions, Started } from './places.ts';

export interface MailboxOptions extends Pick<LabOptions, 'home' | 'ports' | 'access'> {
  readonly host?: string;
  /** Who may log in without TLS, besides this machine. */
  readonly clients?: string;
}

/** Dovecot with everybody's mailbox. */
export async function startMailboxes(options: MailboxOptions): Promise<DovecotInstance> {
  const { home, ports, host = '127.0.0.1', clients, access } = options;
  const { password, config = '' } = dovecotAccess(access, ports);
  return startDovecot({
    users: people,
    host,
    lmtpPort: ports.lmtp,
    imapPort: ports.imap,
    home: join(home, 'dovecot'),
    config: clients === undefined ? config : `${config}\nlogin_trusted_networks = ${clients}`,
    ...(password === undefined ? {} : { password }),
  });
}

/** What a lab says of it when it has started. */
export const mailboxesStarted = ({ ports, host = '127.0.0.1' }: MailboxOptions): Parameters<Started> => [
  'Dovecot',
  `${host}:${ports.imap}`,
  `IMAP, and LMTP on ${ports.lmtp}`,
];
