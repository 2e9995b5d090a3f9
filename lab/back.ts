import { join } from 'node:path';
import { Cleanup } from '../test/harness/cleanup.ts';
import { type DovecotInstance, startDovecot } from '../test/harness/dovecot.ts';
import { type PostfixInstance, startPostfix } from '../test/harness/postfix.ts';
import type { LabOptions } from './places.ts';

export const people = ['alice@example.com', 'bob@example.org', 'carol@example.org', 'dave@example.org'] as const;

export interface BackOptions extends Pick<LabOptions, 'home' | 'ports' | 'started'> {
  readonly host?: string;
  /** Who may send to Postfix B, besides this machine. */
  readonly clients?: string;
}

/** The mailbox end: Dovecot, and Postfix B before it. */
export interface Back {
  readonly dovecot: DovecotInstance;
  readonly b: PostfixInstance;
  stop(): Promise<void>;
}

export async function startBack({ home, ports, host = '127.0.0.1', clients, started }: BackOptions): Promise<Back> {
  const parts = new Cleanup();
  try {
    const dovecot = await parts.use(
      startDovecot({
        users: people,
        host,
        lmtpPort: ports.lmtp,
        imapPort: ports.imap,
        home: join(home, 'dovecot'),
        // Without TLS Dovecot accepts passwords only from this machine.
        ...(clients === undefined ? {} : { config: `login_trusted_networks = ${clients}` }),
      }),
    );
    started('Dovecot', `${host}:${ports.imap}`, `IMAP, and LMTP on ${ports.lmtp}`);
    const b = await parts.use(
      startPostfix({
        dir: 'postfix-b',
        home: join(home, 'postfix-b'),
        host,
        ports: { smtp: ports.postfixB },
        settings: {
          virtual_transport: `lmtp:inet:${host}:${ports.lmtp}`,
          ...(clients === undefined ? {} : { mynetworks: clients, smtpd_authorized_xforward_hosts: clients }),
        },
      }),
    );
    started('Postfix B', `${host}:${ports.postfixB}`, 'delivers to Dovecot');
    return { dovecot, b, stop: () => parts.end() };
  } catch (error) {
    await parts.end();
    throw error;
  }
}
