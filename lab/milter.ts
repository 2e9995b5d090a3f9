import { join } from 'node:path';
import { Cleanup } from '../test/harness/cleanup.ts';
import { startDetach } from '../test/harness/detach-mta.ts';
import { startDovecot } from '../test/harness/dovecot.ts';
import { startPostfix } from '../test/harness/postfix.ts';
import { people } from './back.ts';
import type { LabChain } from './chain.ts';
import { labDetach } from './front.ts';
import type { LabOptions } from './places.ts';
import { startStorage } from './storage.ts';

/** One Postfix with mailboxes, which shows its mail to Detach MTA as a Milter. */
export async function startMilterLab(options: LabOptions): Promise<LabChain> {
  const { home, ports, started } = options;
  const parts = new Cleanup();
  try {
    const dovecot = await parts.use(
      startDovecot({ users: people, lmtpPort: ports.lmtp, imapPort: ports.imap, home: join(home, 'dovecot') }),
    );
    started('Dovecot', `127.0.0.1:${ports.imap}`, `IMAP, and LMTP on ${ports.lmtp}`);
    const storage = await parts.use(startStorage(options));
    const config = { inbound: { protocol: 'milter' } };
    const detach = await parts.use(
      startDetach(labDetach({ home, ports, storage: storage.location, nextHop: [], config })),
    );
    // Runs before its `stop`, which would give it no time to finish.
    parts.defer(() => detach.kill('SIGTERM'));
    started('Detach MTA', `127.0.0.1:${ports.detach}`, `Milter; links on http://127.0.0.1:${ports.links}`);
    const a = await parts.use(
      startPostfix({
        dir: 'postfix-a/milter',
        home: join(home, 'postfix-milter'),
        ports: { smtp: ports.postfixA },
        settings: {
          smtpd_milters: `inet:127.0.0.1:${ports.detach}`,
          virtual_transport: `lmtp:inet:127.0.0.1:${ports.lmtp}`,
        },
      }),
    );
    started('Postfix', `127.0.0.1:${ports.postfixA}`, 'send mail here; delivers to Dovecot');
    const groups = [a.pid, dovecot.pid].flatMap((pid) => (pid === undefined ? [] : [-pid]));
    const servers = [...groups, ...[detach.pid, storage.pid].flatMap((pid) => pid ?? [])];
    return { ports, storage, detach, a, dovecot, servers, stop: () => parts.end() };
  } catch (error) {
    await parts.end();
    throw error;
  }
}
