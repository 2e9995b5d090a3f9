import { Cleanup } from '../test/harness/cleanup.ts';
import { type ConfigTree, startDetach } from '../test/harness/detach-mta.ts';
import type { PostfixSettings } from '../test/harness/postfix-home.ts';
import type { LabChain } from './chain.ts';
import { labDetach } from './detach.ts';
import { type FrontPostfixOptions, startFrontPostfix } from './front-postfix.ts';
import { mailboxesStarted, startMailboxes } from './mailboxes.ts';
import type { LabOptions, LabPorts } from './places.ts';
import { startStorage } from './storage.ts';

/** How Detach MTA attaches to one Postfix with mailboxes. */
export interface OnePostfix {
  readonly name: string;
  /** Its configuration in this repository. */
  readonly dir: string;
  /** What Detach MTA is to it, for the lab's output. */
  readonly role: string;
  readonly settings: (ports: LabPorts) => PostfixSettings;
  readonly listeners?: (ports: LabPorts) => FrontPostfixOptions['ports'] & object;
  /** Last changes to the text of master.cf. */
  readonly master?: (text: string, ports: LabPorts) => string;
  readonly submission?: (ports: LabPorts) => readonly string[];
  readonly nextHop: (ports: LabPorts) => readonly string[];
  readonly config?: ConfigTree;
}

/** Folder of its Postfix in the lab's home. */
export const folderOf = ({ name }: Pick<OnePostfix, 'name'>): string => `postfix-${name}`;

/** One Postfix that delivers to Dovecot itself, with Detach MTA beside it. */
export const startOnePostfix =
  (way: OnePostfix) =>
  async (options: LabOptions): Promise<LabChain> => {
    const { ports, started } = options;
    const parts = new Cleanup();
    try {
      const dovecot = await parts.use(startMailboxes(options));
      started(...mailboxesStarted(options));
      const storage = await parts.use(startStorage(options));
      started(...storage.started);
      const nextHop = way.nextHop(ports);
      const detach = await parts.use(
        startDetach(labDetach(options, { storage, nextHop, ...(way.config ? { config: way.config } : {}) })),
      );
      // Runs before its `stop`, which would give it no time to finish.
      parts.defer(() => detach.kill('SIGTERM'));
      started('Detach MTA', `127.0.0.1:${ports.detach}`, `${way.role}; links on http://127.0.0.1:${ports.links}`);
      const a = await parts.use(startFrontPostfix(options, postfixOf(way, ports)));
      started('Postfix', `127.0.0.1:${ports.postfixA}`, 'send mail here; delivers to Dovecot');
      return { ports, storage, detach, a, dovecot, stop: () => parts.end() };
    } catch (error) {
      await parts.end();
      throw error;
    }
  };

function postfixOf(way: OnePostfix, ports: LabPorts): FrontPostfixOptions {
  return {
    dir: way.dir,
    folder: folderOf(way),
    settings: { virtual_transport: `lmtp:inet:127.0.0.1:${ports.lmtp}`, ...way.settings(ports) },
    ports: way.listeners?.(ports) ?? {},
    submission: way.submission?.(ports) ?? [],
    master: (text) => way.master?.(text, ports) ?? text,
  };
}
