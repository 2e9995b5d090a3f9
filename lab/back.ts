import { join } from 'node:path';
import { Cleanup } from '../test/harness/cleanup.ts';
import type { DovecotInstance } from '../test/harness/dovecot.ts';
import { type PostfixInstance, startPostfix } from '../test/harness/postfix.ts';
import { type MailboxOptions, mailboxesStarted, startMailboxes } from './mailboxes.ts';
import type { LabOptions } from './places.ts';

export type BackOptions = MailboxOptions & Pick<LabOptions, 'settings' | 'started'>;

/** The mailbox end: Dovecot, and Postfix B before it. */
export interface Back {
  readonly dovecot: DovecotInstance;
  readonly b: PostfixInstance;
  stop(): Promise<void>;
}

export async function startBack(options: BackOptions): Promise<Back> {
  const { home, ports, settings, started } = options;
  const parts = new Cleanup();
  try {
    const dovecot = await parts.use(startMailboxes(options));
    started(...mailboxesStarted(options));
    const b = await parts.use(
      startPostfix({
        dir: 'postfix-b',
        home: join(home, 'postfix-b'),
        ports: { smtp: ports.postfixB },
        settings: {
          ...settings?.b,
          virtual_transport: `lmtp:inet:127.0.0.1:${ports.lmtp}`,
        },
      }),
    );
    started('Postfix B', `127.0.0.1:${ports.postfixB}`, 'delivers to Dovecot');
    return { dovecot, b, stop: () => parts.end() };
  } catch (error) {
    await parts.end();
    throw error;
  }
}
