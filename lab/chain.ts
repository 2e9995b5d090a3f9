import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Azurite, startAzurite } from '../test/harness/azurite.ts';
import { type DetachInstance, startDetach } from '../test/harness/detach-mta.ts';
import { type DovecotInstance, startDovecot } from '../test/harness/dovecot.ts';
import { type PostfixInstance, startPostfix } from '../test/harness/postfix.ts';
import type { LabPorts } from './places.ts';

export const people = ['alice@example.com', 'bob@example.org', 'carol@example.org', 'dave@example.org'] as const;

/** The whole chain on one machine. */
export class LabChain {
  readonly home: string;
  readonly ports: LabPorts;
  readonly azurite: Azurite;
  readonly dovecot: DovecotInstance;
  readonly b: PostfixInstance;
  readonly detach: DetachInstance;
  readonly a: PostfixInstance;

  private constructor(
    home: string,
    ports: LabPorts,
    parts: Pick<LabChain, 'azurite' | 'dovecot' | 'b' | 'detach' | 'a'>,
  ) {
    this.home = home;
    this.ports = ports;
    this.azurite = parts.azurite;
    this.dovecot = parts.dovecot;
    this.b = parts.b;
    this.detach = parts.detach;
    this.a = parts.a;
  }

  /** Starts from the mailbox backwards, so that nothing is offered mail before it can pass it on. */
  static async start(
    home: string,
    ports: LabPorts,
    started: (what: string, port: number, purpose: string) => void,
  ): Promise<LabChain> {
    const stops: (() => Promise<unknown>)[] = [];
    const use = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
      const part = await starting;
      stops.unshift(() => part.stop());
      return part;
    };
    try {
      const azurite = await use(startAzurite({ port: ports.azurite, directory: join(home, 'azurite') }));
      started('Azurite', ports.azurite, 'blob storage');
      const dovecot = await use(
        startDovecot({ users: people, lmtpPort: ports.lmtp, imapPort: ports.imap, home: join(home, 'dovecot') }),
      );
      started('Dovecot', ports.imap, `IMAP, and LMTP on ${ports.lmtp}`);
      const b = await use(
        startPostfix({
          dir: 'postfix-b',
          home: join(home, 'postfix-b'),
          ports: { smtp: ports.postfixB },
          settings: { virtual_transport: `lmtp:inet:127.0.0.1:${ports.lmtp}` },
        }),
      );
      started('Postfix B', ports.postfixB, 'delivers to Dovecot');
      const detach = await use(startDetach(detachOptions(home, ports, azurite.connectionString)));
      started('Detach MTA', ports.detach, `links on http://127.0.0.1:${ports.links}`);
      const a = await use(
        startPostfix({
          dir: 'postfix-a',
          home: join(home, 'postfix-a'),
          ports: { smtp: ports.postfixA },
          settings: { relayhost: `[127.0.0.1]:${ports.detach}` },
        }),
      );
      started('Postfix A', ports.postfixA, 'send mail here');
      return new LabChain(home, ports, { azurite, dovecot, b, detach, a });
    } catch (error) {
      for (const stop of stops) await stop();
      throw error;
    }
  }

  /** Process numbers of the servers, negative for process groups. */
  servers(): number[] {
    const groups = [this.a.pid, this.b.pid, this.dovecot.pid].flatMap((pid) => (pid === undefined ? [] : [-pid]));
    return [...groups, ...[this.detach.pid, this.azurite.pid].flatMap((pid) => pid ?? [])];
  }

  /** From the front, so that mail waits in Postfix's queues. */
  async stop(): Promise<void> {
    await this.a.stop();
    await this.detach.kill('SIGTERM');
    await this.detach.stop();
    await this.b.stop();
    await this.dovecot.stop();
    await this.azurite.stop();
  }
}

function detachOptions(home: string, ports: LabPorts, storage: string): Parameters<typeof startDetach>[0] {
  const { guard, links } = lastingKeys(home);
  return {
    nextHop: ports.postfixB,
    storage,
    home: join(home, 'detach-mta'),
    config: {
      hostname: 'detach.example.net',
      inbound: { port: ports.detach },
      detach: { minSize: '1MiB' },
      loopguard: { cluster: 'lab', keys: [guard] },
      links: { baseUrl: `http://127.0.0.1:${ports.links}`, port: ports.links, secret: links },
      metrics: { port: ports.metrics },
    },
  };
}

/** Kept from one start to the next: stamps and links of older mail stay good. */
function lastingKeys(home: string): { readonly guard: string; readonly links: string } {
  const file = join(home, 'keys.json');
  if (!existsSync(file)) {
    const secret = (): string => randomBytes(32).toString('base64');
    writeFileSync(file, JSON.stringify({ guard: `k1:${secret()}`, links: secret() }), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as { guard: string; links: string };
}
